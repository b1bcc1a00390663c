package lab_test

import (
	"net"
	"testing"
	"time"

	"tocsin/internal/wire/smpp"
)

// dial opens a bare session, for what our client would never do.
func dial(t testing.TB, address string) *smpp.Conn {
	t.Helper()
	raw, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	conn := smpp.NewConn(raw, smpp.Limits{Read: 10 * time.Second, Write: 10 * time.Second})
	t.Cleanup(func() {
		if err := conn.Abort(); err != nil {
			t.Error(err)
		}
	})
	if err := conn.Write(func(dst []byte) ([]byte, error) {
		return smpp.AppendBind(dst, smpp.BindTransceiver, 1, &smpp.Bind{SystemID: "hopital", Password: "secret"})
	}); err != nil {
		t.Fatal(err)
	}
	f, err := conn.Next()
	if err != nil || f.Status != smpp.StatusOK {
		t.Fatalf("bind: %v %v", f.Status, err)
	}
	return conn
}
