package main

func dhcpMain(args []string) int { return 2 }
