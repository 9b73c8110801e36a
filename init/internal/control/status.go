package control

// Status is what process 1 knows of the device.
type Status struct {
	Version   string   `json:"version"`
	Board     string   `json:"board"`
	Slot      string   `json:"slot"`      // "a", "b", or "?" when not started from a slot
	Uptime    float64  `json:"uptime"`    // seconds since the kernel started
	Interface string   `json:"interface"` // LAN interface; empty while there is none
	Addresses []string `json:"addresses"` // with prefix length, IPv4 first
	Source    string   `json:"source"`    // of the IPv4 address: static, dhcp, fallback or none
	Memory    bool     `json:"memory"`    // the data partition does not mount: nothing outlives a restart
	Roles     []Role   `json:"roles"`
}

// Role is one supervised process.
type Role struct {
	Name     string  `json:"name"`
	State    string  `json:"state"`    // stopped, starting, ready or waiting (for its next start)
	PID      int     `json:"pid"`      // 0 when it does not run
	Restarts int     `json:"restarts"` // since the device was started
	Seconds  float64 `json:"seconds"`  // in this state
	LastExit string  `json:"lastExit"` // how it ended last; empty when it never did
	RSS      int64   `json:"rss"`      // resident memory in bytes
}
