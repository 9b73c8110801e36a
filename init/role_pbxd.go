package main

func pbxdMain(args []string) int { return 2 }
