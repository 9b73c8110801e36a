package pbx

// CodeLine is one thing to dial, as a card of the function codes shows it.
type CodeLine struct {
	Function Function `json:"function" title:"Function" doc:"Function, as the parameter of its code is called" maxLength:"40"`
	Dial     string   `json:"dial" title:"Dial" doc:"What is dialled first" maxLength:"8"`
	Then     Message  `json:"then,omitzero" title:"Then" doc:"What is dialled after it, in words; absent for nothing"`
	Ends     string   `json:"ends,omitempty" title:"At the end" doc:"What is dialled at the end; absent for nothing" maxLength:"1"`
	Does     Message  `json:"does" title:"Effect" doc:"What it does"`
}

// Card returns what can be dialled with the codes of f, in the order of the
// registry, on before off. Functions that the device does not serve are left
// out.
func (f FunctionCodes) Card() (card []CodeLine) {
	number, extension := Say("number"), Say("extension")
	for _, c := range f.Codes() {
		add := func(then Message, ends string, does Message) {
			card = append(card, CodeLine{c.Function, c.Code, then, ends, does})
		}
		forward := func(does Message) {
			add(number, "", does)
			add(Message{}, "", Say("Forward to the number of the last time"))
			add(Message{}, "*", Say("Do not forward any more"))
		}
		switch c.Function {
		case FunctionPhoneLogin:
			add(extension, "", Say("Log in at this phone; enter the PIN after the tone, then #"))
			add(Message{}, "*", Say("Log out: the phone is that of its own user again"))
		case FunctionNightService:
			add(Say("profile, 1 to 9"), "", Say("Night answer service: the rules of this profile hold, for everybody"))
			add(Message{}, "0", Say("Night answer service off"))
		case FunctionCallWaiting:
			add(Message{}, "", Say("Hear further calls while on the phone"))
			add(Message{}, "*", Say("Further callers hear busy"))
		case FunctionDoNotDisturb:
			add(Message{}, "", Say("The phone does not ring"))
			add(Message{}, "*", Say("The phone rings again"))
		case FunctionForwardAlways:
			forward(Say("Forward every call"))
		case FunctionForwardNoAnswer:
			forward(Say("Forward calls that are not answered"))
		case FunctionForwardBusy:
			forward(Say("Forward calls when busy"))
		case FunctionForwardUnregistered:
			forward(Say("Forward calls when no phone is registered"))
		case FunctionGroupPickup:
			add(Message{}, "", Say("Take a call that rings in the own pickup groups"))
			add(Say("number of the group"), "", Say("Take a call that rings in this pickup group"))
		case FunctionDirectPickup:
			add(extension, "", Say("Take the call that rings there"))
		case FunctionIntercom:
			add(extension, "", Say("Speak to the phone there, which answers by itself"))
		case FunctionQuickDial:
			add(Say("quick dial"), "", Say("Call a contact"))
		case FunctionHideNumber:
			add(number, "", Say("Call without showing the own number"))
		case FunctionReminder:
			add(Say("hours and minutes, such as 0730"), "", Say("Be called at that time"))
			add(Message{}, "*", Say("No reminder"))
		case FunctionPark:
			add(Message{}, "", Say("Park a call at the own parking place, by transferring it there, and take it back"))
			add(Say("parking place, 1 to 9"), "", Say("Park a call where everybody can take it, and take it"))
		}
	}
	return card
}

// Served reports whether the device has what the function is about.
func (f Function) Served() bool {
	switch f {
	case FunctionQueueLogin, FunctionVoicemail:
		return false
	}
	return true
}
