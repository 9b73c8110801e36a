package pbxdtest

import (
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(killedDir); dir != "" {
		os.Exit(untilKilled(dir))
	}
	Main(m, 3)
}
