package dialplan

import (
	"testing"

	"galilei/pbxd/pbx"
)

func TestDecide(t *testing.T) {
	cfg := pbx.Factory(pbx.Defaults{})
	tests := []struct {
		name   string
		digits string
		want   string
		refuse pbx.Cause
	}{
		{"extension", "102", "102", 0},
		{"own extension", "101", "101", 0},
		{"unknown number", "999", "", pbx.CauseUnallocated},
		{"nothing dialled must not reach the administrator, who has no extension", "", "", pbx.CauseUnallocated},
		{"a login name is no number", "demo101", "", pbx.CauseUnallocated},
		{"longer than an extension", "1021", "", pbx.CauseUnallocated},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Decide(cfg, Query{Caller: "101", Digits: tt.digits})
			if got.Extension != tt.want || got.Refuse != tt.refuse {
				t.Errorf("got extension %q refuse %v, want %q and %v", got.Extension, got.Refuse, tt.want, tt.refuse)
			}
			if len(got.Trace) == 0 {
				t.Error("the decision does not say why")
			}
		})
	}
}
