// Package qemutest boots the disk images that ship, in QEMU as scripts/qemu
// starts it, and uses them from outside as people do: phones, a browser, the
// serial console and the power switch. It holds tests only.
//
// GALILEI_IMAGE and GALILEI_TEST_IMAGE name the release image and the one with
// the test control channel; scripts/test builds both. Without them the tests
// skip. The images are copied, never written to.
//
// The tests run in a network namespace of their own where the kernel allows
// it, so that the ports of a telephone system are free.
package qemutest
