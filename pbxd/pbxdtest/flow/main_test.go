package flow

import (
	"flag"
	"os"
	"runtime"
	"strconv"
	"testing"
)

// TestMain lets two flows for each processor go on at a time: most of the time
// they wait for each other's messages and for audio.
func TestMain(m *testing.M) {
	flag.Parse()
	parallel := flag.Lookup("test.parallel")
	if parallel.Value.String() == parallel.DefValue {
		if err := parallel.Value.Set(strconv.Itoa(2 * runtime.GOMAXPROCS(0))); err != nil {
			panic(err) // a fault of this file: it is a number
		}
	}
	os.Exit(m.Run())
}
