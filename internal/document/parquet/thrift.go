package parquet

import "encoding/binary"

// The kinds of fields of Thrift's compact protocol.
const (
	kindI32    = 5
	kindI64    = 6
	kindBinary = 8
	kindList   = 9
	kindStruct = 12
)

// thrift writes structures in the compact protocol; fields in rising order.
type thrift struct {
	b    []byte
	last byte
}

func (t *thrift) field(id, kind byte) {
	t.b = append(t.b, (id-t.last)<<4|kind)
	t.last = id
}

func (t *thrift) zigzag(v int64) { t.b = binary.AppendVarint(t.b, v) }

func (t *thrift) i32(id byte, v int64) { t.field(id, kindI32); t.zigzag(v) }
func (t *thrift) i64(id byte, v int64) { t.field(id, kindI64); t.zigzag(v) }

func (t *thrift) bytes(s string) { t.b = append(binary.AppendUvarint(t.b, uint64(len(s))), s...) }

func (t *thrift) text(id byte, s string) { t.field(id, kindBinary); t.bytes(s) }

// list opens a list of n elements, which follow.
func (t *thrift) list(id, kind byte, n int) {
	t.field(id, kindList)
	if n < 15 {
		t.b = append(t.b, byte(n)<<4|kind)
		return
	}
	t.b = binary.AppendUvarint(append(t.b, 0xf0|kind), uint64(n))
}

// element writes a structure of a list.
func (t *thrift) element(do func()) {
	outer := t.last
	t.last = 0
	do()
	t.b = append(t.b, 0)
	t.last = outer
}

// object writes a structure as a field.
func (t *thrift) object(id byte, do func()) { t.field(id, kindStruct); t.element(do) }

// end ends the outermost structure.
func (t *thrift) end() []byte { return append(t.b, 0) }
