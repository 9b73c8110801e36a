package pbx

// northAmerica returns the area codes of the country code 1 that are not those of
// the United States and their territories (libphonenumber metadata of CA and of the
// countries of the Caribbean): Canada first, then its numbers without a place. To
// call one is to call another country, often dearer than any in Europe.
func northAmerica() []string {
	return []string{
		"204", "226", "236", "249", "250", "257", "263", "289", "306", "343", "354", "365", "367", "368", "382", "403", "416", "418", "428", "431", "437", "438",
		"450", "468", "474", "506", "514", "519", "548", "579", "581", "584", "587", "604", "613", "639", "647", "672", "683", "705", "709", "742", "753", "778",
		"780", "782", "807", "819", "825", "867", "873", "879", "902", "905", "942", "600",
		"242", "246", "264", "268", "284", "345", "441", "473", "649", "658", "664", "721", "758", "767", "784", "809", "829", "849", "868", "869", "876",
	}
}
