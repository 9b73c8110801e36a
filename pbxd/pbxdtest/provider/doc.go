// Package provider is a telephone provider on loopback that Galilei's authors
// did not write: kamailio as registrar and proxy, dnsmasq as its name server,
// and sipp for what single providers do in their own way (Habit). It is for
// tests only and is linked into no product. It imports nothing of ours but peer,
// so that a fault of ours cannot hide in both ends of a test.
//
// A test skips, and is counted as skipped, where a program is not installed:
//
//	provider.NeedKamailio(t)
//	k, err := provider.StartKamailio(ctx, provider.KamailioOptions{Dir: t.TempDir(), Accounts: ...})
package provider
