package outside

import (
	"testing"

	"galilei/pbxd/pbxdtest"
)

func TestMain(m *testing.M) { pbxdtest.Main(m, 3) }
