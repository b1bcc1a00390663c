package rtp

import (
	"encoding/binary"
	"net"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// postman sends packets without giving the processor up: a send that leaves it, as
// those of package net may, waits behind other work of a busy program to get it
// back, and the packets behind wait too.
type postman struct {
	socket syscall.RawConn
	// transmit is made once: it sends packet to the address.
	transmit func(fd uintptr) bool
	packet   []byte
	to       netip.AddrPort
	wide     bool
	four     unix.RawSockaddrInet4
	six      unix.RawSockaddrInet6
}

func (p *postman) open(conn *net.UDPConn) (err error) {
	if a, ok := conn.LocalAddr().(*net.UDPAddr); ok {
		p.wide = a.AddrPort().Addr().Unmap().Is6()
	}
	p.transmit = p.write
	p.socket, err = conn.SyscallConn()
	return err
}

// send hands a packet to the system, or drops it.
func (p *postman) send(packet []byte, to netip.AddrPort) {
	if len(packet) == 0 || !p.wide && !to.Addr().Is4() {
		return
	}
	p.packet = packet
	if to != p.to {
		p.address(to)
	}
	_ = p.socket.Write(p.transmit) //nolint:errcheck // a socket that is closed sends nothing
}

func (p *postman) address(to netip.AddrPort) {
	p.to = to
	port := binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, to.Port()))
	if p.wide {
		p.six = unix.RawSockaddrInet6{Family: unix.AF_INET6, Port: port, Addr: to.Addr().As16()}
	} else {
		p.four = unix.RawSockaddrInet4{Family: unix.AF_INET, Port: port, Addr: to.Addr().As4()}
	}
}

// write never waits: the socket does not block, and a packet too many is lost.
func (p *postman) write(fd uintptr) bool {
	where, size := unsafe.Pointer(&p.four), uintptr(unix.SizeofSockaddrInet4)
	if p.wide {
		where, size = unsafe.Pointer(&p.six), unix.SizeofSockaddrInet6
	}
	_, _, _ = unix.RawSyscall6(unix.SYS_SENDTO, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p.packet))), uintptr(len(p.packet)),
		unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, uintptr(where), size)
	return true
}
