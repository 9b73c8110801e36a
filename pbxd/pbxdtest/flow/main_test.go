package flow

import (
	"flag"
	"os"
	"testing"
)

// TestMain lets more flows go on at a time than there are processors: most of
// the time they wait for each other's messages and for audio.
func TestMain(m *testing.M) {
	flag.Parse()
	parallel := flag.Lookup("test.parallel")
	if parallel.Value.String() == parallel.DefValue {
		if err := parallel.Value.Set("16"); err != nil {
			panic(err) // a fault of this file: 16 is a number
		}
	}
	os.Exit(m.Run())
}
