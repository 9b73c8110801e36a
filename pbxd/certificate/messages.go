package certificate

import "galilei/pbxd/pbx"

// Field says which of the two uploads an error is about.
type Field string

// The two uploads.
const (
	FieldCertificate Field = "certificate"
	FieldKey         Field = "key"
)

// Sentences for people. The page looks up its translation by the template.
const (
	templateTooLarge     = "The file is larger than {limit} KB. Upload only the certificate and those that vouch for it."
	templateNoPEM        = "This is not a certificate in PEM form: it has no line -----BEGIN CERTIFICATE-----. Convert it with: openssl x509 -inform der -in FILE -out cert.pem"
	templateNoKeyPEM     = "This is not a private key in PEM form: it has no line such as -----BEGIN PRIVATE KEY-----. Convert it with: openssl pkey -inform der -in FILE -out key.pem"
	templateDamagedPEM   = "The text is damaged or cut off: a -----BEGIN line has no block that can be read. Upload the file again, complete."
	templateTrailing     = "There is text after the last -----END line. Remove it."
	templateBlock        = "The file contains a block {block}, which does not belong there. Upload certificates and key separately."
	templateTooMany      = "The file has {count} certificates, more than {limit}. Upload only the certificate and those that vouch for it."
	templateUnreadable   = "Certificate {number} cannot be read. Upload the file as it was issued."
	templateBadKey       = "The private key cannot be read. Upload the file as it was made."
	templateKeys         = "The file has {count} private keys. Upload only the one of the certificate."
	templateEncrypted    = "The private key is encrypted. Decrypt it with: openssl pkey -in FILE -out key.pem, and upload key.pem."
	templateKeyKind      = "Browsers do not accept {kind} keys. Use RSA with 2048 to 8192 bits, or ECDSA with P-256 or P-384."
	templateMismatch     = "The private key does not belong to the certificate {subject}. Upload the key with which it was requested."
	templateCA           = "{subject} is the certificate of an authority, not of a device. Upload the one that it issued; with openssl req -x509 add: -addext basicConstraints=critical,CA:FALSE"
	templateNoAuthority  = "{subject} is no certificate of an authority, and there is no key with it. Upload that of the authority that signs the provider's, or the key of this one, too."
	templateUsage        = "The certificate {subject} is not made for a web server. Request one for server authentication."
	templateExtension    = "The certificate {subject} has an extension {oid} that is critical and not known. Request one without it."
	templateNames        = "The certificate {subject} names no host and no address. Request one with subject alternative names."
	templateSignature    = "The certificate {subject} is signed with {algorithm}, which browsers refuse. Request one that is signed with SHA-256."
	templateExpired      = "The certificate {subject} expired on {notAfter}. Upload its successor."
	templateNotYet       = "The certificate {subject} is valid only from {notBefore}. Upload it then, or check the clock of the device."
	templateChain        = "The certificate {subject} did not issue any other in the file. Remove it."
	templateClock        = "The clock of the device is not set, so it was not checked whether the certificate is valid now."
	templateExpiring     = "The certificate {subject} expires on {notAfter}; days left: {days}. Upload its successor before."
	templateOtherName    = "The certificate is not for {host}. Browsers will warn when the page is opened by that name."
	templateSelfSigned   = "The certificate is signed by itself. Browsers will warn until they are told to trust it."
	templateLacksIssuers = "The certificate of {issuer}, which issued {subject}, is not in the file. Browsers that do not know it will warn; add it if it is an intermediate one."
)

// TemplateLong is the warning of a certificate that is valid for longer than
// Apple's systems accept.
const TemplateLong = "The certificate is valid for {days} days. Apple devices refuse more than {limit}."

// Messages returns every template of this package, for the check that each
// one is translated.
func Messages() []string {
	return []string{templateTooLarge, templateNoPEM, templateNoKeyPEM, templateDamagedPEM, templateTrailing, templateBlock, templateTooMany,
		templateUnreadable, templateBadKey, templateKeys, templateEncrypted, templateKeyKind, templateMismatch, templateCA, templateNoAuthority, templateUsage,
		templateExtension, templateNames, templateSignature, templateExpired, templateNotYet, templateChain,
		templateClock, templateExpiring, templateOtherName, templateSelfSigned, TemplateLong, templateLacksIssuers}
}

// Problem is the kind of an Error.
type Problem string

// What makes a certificate or a key unusable.
const (
	TooLarge    Problem = "tooLarge"
	NotPEM      Problem = "notPem"     // no block at all, damaged blocks, or text behind them
	WrongBlock  Problem = "wrongBlock" // something else than was asked for, or too much of it
	Unreadable  Problem = "unreadable"
	Encrypted   Problem = "encrypted"
	KeyKind     Problem = "keyKind"
	Mismatch    Problem = "mismatch"
	Authority   Problem = "authority"
	NoAuthority Problem = "noAuthority"
	Usage       Problem = "usage"
	NoNames     Problem = "noNames"
	WeakSigning Problem = "weakSigning"
	Expired     Problem = "expired"
	NotYetValid Problem = "notYetValid"
	BrokenChain Problem = "brokenChain"
)

// Error says why an upload is refused.
type Error struct {
	Field   Field
	Problem Problem
	message pbx.Message
	cause   error
}

// Template returns the English sentence with its places for Args.
func (e *Error) Template() string { return e.message.Template }

// Args returns what stands in the places of the sentence.
func (e *Error) Args() map[string]any { return e.message.Args }

func (e *Error) Error() string {
	s := string(e.Field) + ": " + e.message.Text()
	if e.cause != nil {
		s += " (" + e.cause.Error() + ")"
	}
	return s
}

func (e *Error) Unwrap() error { return e.cause }

func refuse(f Field, p Problem, cause error, template string, pairs ...any) *Error {
	return &Error{f, p, pbx.Say(template, pairs...), cause}
}
