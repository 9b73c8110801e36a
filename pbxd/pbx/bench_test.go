package pbx

import (
	"fmt"
	"testing"
)

// BenchmarkCommitSteps does what every commit does, on a full T640 and on one
// without limits.
func BenchmarkCommitSteps(b *testing.B) {
	for _, users := range []int{80, 5000} {
		c := office()
		for i := len(c.Users); i < users; i++ {
			c.Users = append(c.Users, User{ID: fmt.Sprintf("u%d", i), UserSettings: UserSettings{Name: fmt.Sprintf("user%d", i), Extension: fmt.Sprint(20000 + i), FirstName: "Anna", LastName: "Muster", Email: "anna@example.org"}})
		}
		b.Run(fmt.Sprintf("%dusers", users), func(b *testing.B) {
			for b.Loop() {
				if err := Validate(c, Model{}); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("%dusers-clone", users), func(b *testing.B) {
			for b.Loop() {
				c.Clone()
			}
		})
		b.Run(fmt.Sprintf("%dusers-diff", users), func(b *testing.B) {
			d := c.Clone()
			d.Users[1].FirstName = "Ben"
			for b.Loop() {
				if len(Diff(c, d)) != 1 {
					b.Fatal("one change")
				}
			}
		})
	}
}
