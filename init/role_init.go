package main

func initMain(args []string) int { return 2 }
