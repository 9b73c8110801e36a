package main

func imageMain(args []string) int { return 2 }
