package pbx

// Country is a national profile. Its figures follow in this file.
type Country struct{ Code, Name string }
type Emergency struct{ Number, Service string }

func CountryByCode(code string) (Country, bool)                  { return Country{code, code}, code == "DE" }
func (Country) EmergencyPrefixedBy(ext string) (Emergency, bool) { return Emergency{}, false }
