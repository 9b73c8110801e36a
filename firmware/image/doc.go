// Package image builds the disk image that a board boots from, without a
// shell, without root and the same bytes from the same inputs.
//
// From the inside out:
//
//   - the initramfs: a newc cpio archive, zstd, with /init (the galilei
//     binary), the kernel modules that the board wants with their
//     dependencies, and /lib/modules/load, which names them in load order;
//   - the unified kernel image: systemd's EFI stub with the kernel, the
//     initramfs and the kernel command line as PE sections;
//   - the slot: a FAT16 file system that holds the unified kernel image as
//     EFI/BOOT/BOOTX64.EFI, which UEFI starts by default;
//   - the disk: GPT with slot-a (filled), slot-b (zero), bootstate (zero) and
//     data (zero; init makes its file system at the first boot).
//
// # What init finds in the initramfs
//
//	/init                      the binary
//	/etc/galilei/board         name of the board and a newline
//	/etc/galilei/kernel        kernel release and a newline, for example 6.1.0-56-amd64
//	/lib/modules/load          one path per line, relative to /, in load order
//	/etc/hosts                 localhost
//	/etc/ssl/certs/ca-certificates.crt   when the build was given a CA bundle
//	/dev/console /dev/null, and empty data dev etc lib proc run sys tmp
//
// A module in /lib/modules/load may fail with ENODEV where the processor or
// the board lacks what it drives (crc32c_intel does so on old processors); the
// rest of the list does not depend on it.
package image

// Largest sizes that a build accepts, in bytes.
const (
	MaxBinary    = 28_000_000 // the stripped galilei binary
	MaxInitramfs = 12_000_000 // the compressed initramfs
)

const (
	kib = int64(1) << 10
	mib = int64(1) << 20
)
