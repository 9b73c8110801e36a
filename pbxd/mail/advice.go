package mail

import "galilei/pbxd/pbx"

// Advice says in a short sentence what to do next.
func (e *Error) Advice() pbx.Message {
	switch e.Fault {
	case FaultNoServer:
		return pbx.Say("Enter the name of the mail server.")
	case FaultSenderAddress:
		return pbx.Say("Enter a sender address such as pbx@example.com.")
	case FaultAddress:
		return pbx.Say("Correct the address. It needs the form name@example.com.")
	case FaultCredentials:
		return pbx.Say("Enter the user name and the password again.")
	case FaultSealed:
		return pbx.Say("Enter the password again.")
	case FaultTokenURL:
		return pbx.Say("Enter the provider's token URL. It begins with https://.")
	case FaultTokenUnreachable:
		return pbx.Say("Check the OAuth token URL and the way to the internet.")
	case FaultTokenRefused:
		return pbx.Say("Check client ID, client secret and scope, and enter a new refresh token.")
	case FaultResolve:
		return pbx.Say("Check the server's name and the DNS servers of the device.")
	case FaultRefused:
		return pbx.Say("Check the port. Usual are 587 with STARTTLS, 465 with TLS and 25 without.")
	case FaultUnreachable:
		return pbx.Say("Check the server's address and the device's gateway.")
	case FaultTimeout:
		return e.timeoutAdvice()
	case FaultClosed:
		return pbx.Say("Check port and transport type, and whether the server lets this device in.")
	case FaultNotSMTP:
		return pbx.Say("Check the server's name and the port: another service answers there.")
	case FaultNotTLS:
		return pbx.Say("Choose STARTTLS, or the port that encrypts from the start (usually 465).")
	case FaultTLS:
		return pbx.Say("Check that the server speaks TLS 1.2 or later on this port.")
	case FaultCertificateName:
		return pbx.Say("Enter the server by the name that its certificate is for.")
	case FaultCertificateTime:
		return pbx.Say("Check the date and time of the device. If they are right, the server needs a new certificate.")
	case FaultCertificate:
		return pbx.Say("Give the server a certificate of a public authority.")
	case FaultNoSTARTTLS:
		return pbx.Say("Choose TLS with the port that encrypts from the start (usually 465), or another port.")
	case FaultNoLogin:
		return pbx.Say("Choose an encrypted transport type, since many servers offer the login only then, or switch authentication off.")
	case FaultMethod:
		return pbx.Say("Choose an authentication type that the server offers.")
	case FaultPlaintext:
		return pbx.Say("Choose STARTTLS or TLS, or allow the password in plain text.")
	case FaultLogin:
		return pbx.Say("Check user name and password.")
	case FaultPasswordsOff:
		return pbx.Say("This provider takes no passwords any more, or the account may not send by SMTP. Choose XOAUTH2 and allow SMTP for the account.")
	case FaultAppPassword:
		return pbx.Say("Make an app password for this device at the provider and enter it here, or choose XOAUTH2.")
	case FaultUnproven:
		return pbx.Say("Make sure that this is your mail server. If it is, choose another authentication type.")
	case FaultBusy:
		return pbx.Say("Wait: the device tries again by itself.")
	case FaultTurnedAway:
		return pbx.Say("Ask whoever runs the mail server to let this device in.")
	case FaultEncryptionNeeded:
		return pbx.Say("Choose STARTTLS, or TLS with the port that encrypts from the start (usually 465).")
	case FaultLoginNeeded:
		return pbx.Say("Switch authentication on and enter user name and password, and choose an encrypted transport type.")
	case FaultRelay:
		return pbx.Say("Switch authentication on and enter user name and password. If it is on, ask whoever runs the mail server to let this device send to that address.")
	case FaultSender:
		return pbx.Say("Enter a sender address that belongs to the account at the mail server.")
	case FaultRecipient:
		return pbx.Say("Check the receiver's address.")
	case FaultContent:
		return pbx.Say("Ask whoever runs the mail server why it refuses this mail.")
	case FaultTooLarge:
		return pbx.Say("Have the limit of the mail server raised, or send less at once.")
	case FaultForeignLetters:
		return pbx.Say("Use an address of plain letters before the @.")
	case FaultInterrupted:
		return pbx.Say("Wait: the device tries again after its restart.")
	}
	return pbx.Say("Check the settings of the mail server.")
}

// timeoutAdvice depends on how far the delivery came: a server that says
// nothing at all usually waits for TLS.
func (e *Error) timeoutAdvice() pbx.Message {
	switch e.Step {
	case StepConnect:
		return pbx.Say("Check server and port. A firewall may block the port: many providers block port 25.")
	case StepGreeting:
		return pbx.Say("Choose TLS if this port encrypts from the start (usually 465).")
	case StepTLS:
		return pbx.Say("Choose STARTTLS if this port encrypts later (usually 587).")
	}
	return pbx.Say("Try again later. If it stays so, check the mail server.")
}
