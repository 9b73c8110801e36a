package dhcp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Socket is the Wire of a real interface. It receives through a packet socket,
// which works before the interface has an address, and sends broadcasts through
// it; renewals go out through an ordinary UDP socket, which also keeps the
// kernel from answering the server's replies with "port unreachable".
type Socket struct {
	packet   *os.File
	raw      syscall.RawConn
	link     unix.SockaddrLinklayer
	udp      *net.UDPConn
	messages chan *dhcpv4.DHCPv4
}

// OpenSocket opens the wire of the interface. It needs CAP_NET_RAW and
// CAP_NET_BIND_SERVICE.
func OpenSocket(ifi *net.Interface) (*Socket, error) {
	proto := htons(unix.ETH_P_IP)
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open packet socket: %w", err)
	}
	packet := os.NewFile(uintptr(fd), "packet socket")
	if err := attachFilter(fd); err != nil {
		packet.Close()
		return nil, err
	}
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: proto, Ifindex: ifi.Index}); err != nil {
		packet.Close()
		return nil, fmt.Errorf("bind packet socket to %s: %w", ifi.Name, err)
	}
	raw, err := packet.SyscallConn()
	if err != nil {
		packet.Close()
		return nil, fmt.Errorf("packet socket: %w", err)
	}
	udp, err := listenUDP(ifi.Name)
	if err != nil {
		packet.Close()
		return nil, err
	}
	s := &Socket{packet: packet, raw: raw, udp: udp, messages: make(chan *dhcpv4.DHCPv4, 8)}
	s.link = unix.SockaddrLinklayer{Protocol: proto, Ifindex: ifi.Index, Halen: 6, Addr: [8]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}
	return s, nil
}

// listenUDP opens the UDP socket. Nothing is read from it, so its filter drops
// everything.
func listenUDP(device string) (*net.UDPConn, error) {
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var errs error
		err := c.Control(func(fd uintptr) {
			errs = errors.Join(
				unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1),
				unix.BindToDevice(int(fd), device),
				setFilter(int(fd), []bpf.Instruction{bpf.RetConstant{Val: 0}}))
		})
		return errors.Join(err, errs)
	}}
	c, err := lc.ListenPacket(context.Background(), "udp4", fmt.Sprintf("0.0.0.0:%d", clientPort))
	if err != nil {
		return nil, fmt.Errorf("open UDP port %d on %s: %w", clientPort, device, err)
	}
	return c.(*net.UDPConn), nil
}

// attachFilter lets only unfragmented UDP datagrams to the client's port
// through: the role is not woken by other traffic.
func attachFilter(fd int) error {
	return setFilter(fd, []bpf.Instruction{
		bpf.LoadAbsolute{Off: 9, Size: 1}, // protocol
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 17, SkipTrue: 6},
		bpf.LoadAbsolute{Off: 6, Size: 2}, // fragment
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: 0x1fff, SkipTrue: 4},
		bpf.LoadMemShift{Off: 0},          // length of the header
		bpf.LoadIndirect{Off: 2, Size: 2}, // destination port
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: clientPort, SkipTrue: 1},
		bpf.RetConstant{Val: 2048},
		bpf.RetConstant{Val: 0},
	})
}

func setFilter(fd int, program []bpf.Instruction) error {
	code, err := bpf.Assemble(program)
	if err != nil {
		return fmt.Errorf("assemble packet filter: %w", err)
	}
	filter := make([]unix.SockFilter, len(code))
	for i, c := range code {
		filter[i] = unix.SockFilter{Code: c.Op, Jt: c.Jt, Jf: c.Jf, K: c.K}
	}
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &prog); err != nil {
		return fmt.Errorf("attach packet filter: %w", err)
	}
	return nil
}

// Receive reads messages until ctx ends or the interface fails, then closes
// Messages. What is no DHCP message to a client is dropped.
func (s *Socket) Receive(ctx context.Context) error {
	defer close(s.messages)
	stop := context.AfterFunc(ctx, func() { s.packet.Close() })
	defer stop()
	buf := make([]byte, 2048)
	for {
		n, err := s.packet.Read(buf)
		if ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, unix.ENETDOWN) {
			continue // told once when the link goes down; the socket lives on
		}
		if err != nil {
			return fmt.Errorf("receive: %w", err)
		}
		payload, err := payloadOf(buf[:n])
		if err != nil {
			continue
		}
		m, err := dhcpv4.FromBytes(payload)
		if err != nil {
			continue
		}
		select {
		case s.messages <- m:
		default: // somebody floods us
		}
	}
}

// Messages delivers what Receive read.
func (s *Socket) Messages() <-chan *dhcpv4.DHCPv4 { return s.messages }

// Broadcast sends m from 0.0.0.0 to 255.255.255.255.
func (s *Socket) Broadcast(m *dhcpv4.DHCPv4) error {
	b, err := datagram(netip.IPv4Unspecified(), netip.AddrFrom4([4]byte{255, 255, 255, 255}), m.ToBytes())
	if err != nil {
		return err
	}
	var sendErr error
	err = s.raw.Write(func(fd uintptr) bool {
		sendErr = unix.Sendto(int(fd), b, 0, &s.link)
		return !errors.Is(sendErr, unix.EAGAIN)
	})
	if err := errors.Join(err, sendErr); err != nil {
		return fmt.Errorf("broadcast DHCP %s: %w", m.MessageType(), err)
	}
	return nil
}

// Unicast sends m to the server. The kernel chooses the source address, which
// is from once process 1 has applied the lease.
func (s *Socket) Unicast(m *dhcpv4.DHCPv4, from, server netip.Addr) error {
	_, err := s.udp.WriteToUDPAddrPort(m.ToBytes(), netip.AddrPortFrom(server, serverPort))
	if err != nil {
		return fmt.Errorf("send DHCP %s from %s to %s: %w", m.MessageType(), from, server, err)
	}
	return nil
}

// Close closes the sockets.
func (s *Socket) Close() error { return errors.Join(s.packet.Close(), s.udp.Close()) }

// htons returns v in network byte order, as a packet socket's protocol is
// written.
func htons(v uint16) uint16 { return v<<8 | v>>8 }
