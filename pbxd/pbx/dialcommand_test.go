package pbx

import (
	"errors"
	"testing"
)

// The four worked examples of page 50 (F160), and others. The third and the fourth
// are printed with {number} and 0-123456, against the second: {number} is all that
// was dialled, so the 0 is either not dialled or cut by {number:1}.
func TestDialCommand(t *testing.T) {
	tests := []struct{ command, prefix, dialled, want string }{
		{"PJSIP/{number}@{gateway}", "", "05251123456", "05251123456"},
		{"PJSIP/{number:1}@{gateway}", "", "005251123456", "05251123456"},
		{"PJSIP/{number:1}@{gateway}", "05251", "0123456", "123456"}, // the prefix has no place: the number is not whole
		{"PJSIP/{number}@{gateway}", "05251", "123456", "123456"},
		{"PJSIP/{number}@{gateway}", "", "0123456", "0123456"},
		{"PJSIP/{prefix}{number:1}@{gateway}", "05251", "0123456", "05251123456"},
		{"PJSIP/{prefix}{number}@{gateway}", "05251", "123456", "05251123456"},
		{"{number}", "", "+49891", "+49891"},
		{"+49{number:2}", "", "0089", "+4989"},
		{"{number:4}", "", "11", ""},
		{"SIP/{number}", "9", "1", "1"},
	}
	for _, tt := range tests {
		c, err := ParseDialCommand(tt.command)
		if err != nil {
			t.Errorf("%s: %v", tt.command, err)
		} else if got := c.Number(tt.prefix, tt.dialled); got != tt.want {
			t.Errorf("%s of %s with %s is %s, want %s", tt.command, tt.dialled, tt.prefix, got, tt.want)
		}
	}
	for command, want := range map[string]error{
		"": ErrDialNumber, "PJSIP/@{gateway}": ErrDialNumber, "{prefix}": ErrDialNumber, "{number:x}": ErrDialUnknown, "{number:}": ErrDialUnknown,
		"{number:21}": ErrDialUnknown, "{number": ErrDialUnknown, "{user}{number}": ErrDialUnknown, "{number}@host": ErrDialText, "x{number}": ErrDialText,
		"{number:-1}": ErrDialUnknown, "{number}@{gateway}1": ErrDialText,
	} {
		if _, err := ParseDialCommand(command); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", command, err, want)
		}
	}
}

func FuzzDialCommand(f *testing.F) {
	f.Add("PJSIP/{prefix}{number:1}@{gateway}", "0123")
	f.Fuzz(func(t *testing.T, command, number string) {
		if c, err := ParseDialCommand(command); err == nil {
			c.Number("1", number)
		}
	})
}
