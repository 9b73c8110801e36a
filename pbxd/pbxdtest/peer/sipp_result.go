package peer

import (
	"encoding/csv"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// result reads the last line of the statistics.
func (s *Sipp) result() (r SippResult, err error) {
	f, err := os.Open(s.file("stat.csv"))
	if err != nil {
		return r, fmt.Errorf("read statistics: %w", err)
	}
	defer f.Close()
	table := csv.NewReader(f)
	table.Comma, table.FieldsPerRecord, table.LazyQuotes = ';', -1, true
	rows, err := table.ReadAll()
	if err != nil {
		return r, fmt.Errorf("read statistics: %w", err)
	}
	if len(rows) < 2 {
		return r, fmt.Errorf("statistics have %d lines", len(rows))
	}
	head, last := rows[0], rows[len(rows)-1]
	for name, p := range map[string]*int{
		"SuccessfulCall(C)": &r.Successful, "FailedCall(C)": &r.Failed,
		"Retransmissions(C)": &r.Retransmissions, "FailedUnexpectedMessage(C)": &r.Unexpected,
	} {
		i := slices.Index(head, name)
		if i < 0 || i >= len(last) {
			return r, fmt.Errorf("statistics lack %s", name)
		}
		if *p, err = strconv.Atoi(last[i]); err != nil {
			return r, fmt.Errorf("statistics: %s: %w", name, err)
		}
	}
	return r, nil
}

// complaints returns the end of sipp's error log for an error message, without
// what answers a challenge.
func (s *Sipp) complaints() string {
	text, err := os.ReadFile(s.file("errors.log"))
	if err != nil || len(text) == 0 {
		text, err = os.ReadFile(s.file("out.log"))
	}
	if err != nil {
		return ""
	}
	text = regexp.MustCompile(`(?mi)^((proxy-)?authorization:).*$`).ReplaceAll(text, []byte("$1 ***"))
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return "\nit complains:\n\t" + strings.Join(lines[max(0, len(lines)-40):], "\n\t")
}
