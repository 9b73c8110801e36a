package pbxdtest

import "testing"

func TestMain(m *testing.M) { Main(m, 3) }
