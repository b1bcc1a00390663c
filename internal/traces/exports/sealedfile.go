package exports

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"tocsin/internal/vault"
)

// pieceBytes is how much is sealed at once.
const pieceBytes = 64 << 10

// sealer writes a file in pieces, each sealed under its number and whether it is
// the last: none can be moved, left out or cut off unseen.
type sealer struct {
	out     io.Writer
	vault   *vault.Vault
	context string
	number  int64
	held    []byte
}

func newSealer(out io.Writer, v *vault.Vault, context string) *sealer {
	return &sealer{out: out, vault: v, context: context, held: make([]byte, 0, pieceBytes)}
}

func pieceName(context string, number int64, last bool) string {
	return fmt.Sprintf("%s:%d:%t", context, number, last)
}

// Write implements io.Writer.
func (s *sealer) Write(b []byte) (n int, err error) {
	for n < len(b) {
		if len(s.held) == pieceBytes {
			if err := s.piece(false); err != nil {
				return n, err
			}
		}
		k := min(len(b)-n, pieceBytes-len(s.held))
		s.held, n = append(s.held, b[n:n+k]...), n+k
	}
	return n, nil
}

func (s *sealer) piece(last bool) error {
	sealed, err := s.vault.Seal(s.held, pieceName(s.context, s.number, last))
	if err != nil {
		return fmt.Errorf("seal a piece: %w", err)
	}
	s.number, s.held = s.number+1, s.held[:0]
	if _, err := s.out.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(sealed))), sealed...)); err != nil {
		return fmt.Errorf("write a piece: %w", err)
	}
	return nil
}

// Close writes the last piece; it does not close what is below.
func (s *sealer) Close() error { return s.piece(true) }

// opener reads what a sealer wrote. A piece that does not open is an error.
type opener struct {
	in      *bufio.Reader
	vault   *vault.Vault
	context string
	number  int64
	rest    []byte
	done    bool
}

func newOpener(in io.Reader, v *vault.Vault, context string) *opener {
	return &opener{in: bufio.NewReaderSize(in, pieceBytes), vault: v, context: context}
}

var errPiece = errors.New("a sealed file that is cut or altered")

// Read implements io.Reader.
func (o *opener) Read(b []byte) (int, error) {
	for len(o.rest) == 0 {
		if o.done {
			return 0, io.EOF
		}
		if err := o.next(); err != nil {
			return 0, err
		}
	}
	n := copy(b, o.rest)
	o.rest = o.rest[n:]
	return n, nil
}

func (o *opener) next() error {
	var head [4]byte
	if _, err := io.ReadFull(o.in, head[:]); err != nil {
		return errors.Join(errPiece, err)
	}
	length := binary.BigEndian.Uint32(head[:])
	if length > 2*pieceBytes {
		return errPiece
	}
	sealed := make([]byte, length)
	if _, err := io.ReadFull(o.in, sealed); err != nil {
		return errors.Join(errPiece, err)
	}
	_, err := o.in.Peek(1)
	o.done = errors.Is(err, io.EOF)
	if o.rest, err = o.vault.Open(sealed, pieceName(o.context, o.number, o.done)); err != nil {
		return errors.Join(errPiece, err)
	}
	o.number++
	return nil
}
