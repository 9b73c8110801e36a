package resolve

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
)

func TestServersByPriorityAndWeight(t *testing.T) {
	list := []srv{
		{priority: 20, weight: 0, target: "backup"},
		{priority: 10, weight: 60, target: "big"},
		{priority: 10, weight: 0, target: "none"},
		{priority: 10, weight: 20, target: "small"},
	}
	tests := []struct {
		random []int // numbers that are drawn
		want   []string
	}{
		{[]int{0, 0, 0, 0}, []string{"none", "big", "small", "backup"}},
		{[]int{1, 0, 0, 0}, []string{"big", "none", "small", "backup"}},
		{[]int{60, 20, 0, 0}, []string{"big", "small", "none", "backup"}},
		{[]int{61, 60, 0, 0}, []string{"small", "big", "none", "backup"}},
		{[]int{80, 0, 0, 0}, []string{"small", "none", "big", "backup"}},
	}
	for _, tt := range tests {
		drawn := 0
		var got []string
		for _, s := range orderServers(list, func(n int) int {
			v := tt.random[drawn]
			drawn++
			if v >= n {
				t.Fatalf("draw %d of %v: %d of %d", drawn, tt.random, v, n)
			}
			return v
		}) {
			got = append(got, s.target)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("drawn %v: %v, want %v", tt.random, got, tt.want)
		}
	}
}

// The first of 75 and 25 is the first in three of four draws: with a fixed seed,
// so that the count is always the same.
func TestWeightsShareTheCalls(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	list := []srv{{weight: 25, target: "a"}, {weight: 75, target: "b"}}
	first := 0
	for range 4000 {
		if orderServers(list, random.IntN)[0].target == "b" {
			first++
		}
	}
	if first < 2850 || first > 3150 {
		t.Errorf("the server of weight 75 came first %d times of 4000", first)
	}
}

func TestFamiliesTakeTurns(t *testing.T) {
	var list []netip.Addr
	for _, s := range []string{"192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1", "2001:db8::2"} {
		list = append(list, netip.MustParseAddr(s))
	}
	tests := []struct {
		name  string
		reach func(netip.Addr) bool
		want  []int
	}{
		{"all", func(netip.Addr) bool { return true }, []int{3, 0, 4, 1, 2}},
		{"no IPv6", netip.Addr.Is4, []int{0, 1, 2, 3, 4}},
		{"one of each", func(a netip.Addr) bool { return a == list[1] || a == list[4] }, []int{4, 1, 3, 0, 2}},
	}
	for _, tt := range tests {
		var want []netip.Addr
		for _, i := range tt.want {
			want = append(want, list[i])
		}
		if got := interleave(list, tt.reach); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", tt.name, got, want)
		}
	}
}

func TestNameServersOfAFile(t *testing.T) {
	got := nameServers("# comment\nsearch office.example\nnameserver 192.0.2.1\n nameserver  2001:db8::1 \nnameserver nonsense\noptions rotate\n")
	want := []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:53"), netip.MustParseAddrPort("[2001:db8::1]:53")}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := nameServers("search office.example\n"); len(got) != 1 || got[0].String() != "127.0.0.1:53" {
		t.Errorf("without a server: %v", got)
	}
	if got := NameServers(t.TempDir() + "/none")(); got != nil {
		t.Errorf("without a file: %v", got)
	}
}
