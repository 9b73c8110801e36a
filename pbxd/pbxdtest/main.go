package pbxdtest

import (
	"flag"
	"os"
	"runtime"
	"strconv"
	"testing"
)

// Main runs the tests of a package of which the parallel ones mostly wait: for
// messages, for audio, for timers of SIP. It lets each of them go on at a time for
// every processor, unless -parallel says otherwise. It does not return.
func Main(m *testing.M, each int) {
	flag.Parse()
	parallel := flag.Lookup("test.parallel")
	if parallel.Value.String() == parallel.DefValue {
		if err := parallel.Value.Set(strconv.Itoa(each * runtime.GOMAXPROCS(0))); err != nil {
			panic(err) // a fault of this file: it is a number
		}
	}
	os.Exit(m.Run())
}
