package certificate

import (
	"bytes"
	"encoding/pem"
	"time"

	"galilei/pbxd/pbx"
)

// CheckAuthorities reads the certificates of authorities that sign those of
// providers, PEM, in any order, without keys. It returns what the first says and
// all of them as PEM. Each must be one that may sign others, or sign itself: then
// it stands for one provider alone. A clock that was never set judges no validity.
// The error is an *Error.
func CheckAuthorities(text []byte, now time.Time) (Info, []byte, error) {
	certs, err := readChain(text)
	if err != nil {
		return Info{}, nil, err
	}
	var clean bytes.Buffer
	for _, c := range certs {
		if !c.IsCA && !selfSigned(c) {
			return Info{}, nil, refuse(FieldKey, NoAuthority, nil, templateNoAuthority, "subject", subjectOf(c))
		}
		if err := checkEach(c, now); err != nil {
			return Info{}, nil, err
		}
		_ = pem.Encode(&clean, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}) // a buffer takes everything
	}
	info := describe(certs)
	if end := firstEnd(certs); now.Year() < clockSet {
		info.Warnings = append(info.Warnings, pbx.Say(templateClock))
	} else if left := end.NotAfter.Sub(now); left < expiring {
		info.Warnings = append(info.Warnings, pbx.Say(templateExpiring, "subject", subjectOf(end), "notAfter", day(end.NotAfter), "days", int(left/(24*time.Hour))))
	}
	return info, clean.Bytes(), nil
}

// Ending says that one of the certificates of text, PEM, has expired or will within
// 30 days; the zero Message when none has and will, or text holds none.
func Ending(text []byte, now time.Time) pbx.Message {
	certs, err := readChain(text)
	if err != nil || now.Year() < clockSet {
		return pbx.Message{}
	}
	end := firstEnd(certs)
	switch left := end.NotAfter.Sub(now); {
	case left < 0:
		return pbx.Say(templateExpired, "subject", subjectOf(end), "notAfter", day(end.NotAfter))
	case left < expiring:
		return pbx.Say(templateExpiring, "subject", subjectOf(end), "notAfter", day(end.NotAfter), "days", int(left/(24*time.Hour)))
	}
	return pbx.Message{}
}
