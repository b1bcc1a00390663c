package smpp

import (
	"fmt"
	"strings"
)

// FieldError is a field that cannot be encoded.
type FieldError struct {
	Field string
	// Max is the longest value allowed, in octets without the final zero.
	Max int
}

// Error says which field and why.
func (e *FieldError) Error() string {
	if e.Max < 0 {
		return fmt.Sprintf("smpp: field %s holds a zero octet", e.Field)
	}
	return fmt.Sprintf("smpp: field %s is longer than %d octets", e.Field, e.Max)
}

// appendCString appends a zero-terminated field of at most max octets.
func appendCString(dst []byte, field, value string, max int) ([]byte, error) {
	if len(value) > max {
		return dst, &FieldError{field, max}
	}
	if strings.IndexByte(value, 0) >= 0 {
		return dst, &FieldError{field, -1}
	}
	return append(append(dst, value...), 0), nil
}

// cursor walks over a body. The body is one string, so that every text taken
// from it shares a single allocation and outlives the read buffer.
type cursor struct {
	rest string
	bad  bool
}

func (c *cursor) octet() byte {
	if c.rest == "" {
		c.bad = true
		return 0
	}
	b := c.rest[0]
	c.rest = c.rest[1:]
	return b
}

// cstring takes a zero-terminated field. Lengths are bounded by the PDU, not by
// the specification: gateways exceed it and their messages must still arrive.
func (c *cursor) cstring() string {
	at := strings.IndexByte(c.rest, 0)
	if at < 0 {
		c.bad = true
		return ""
	}
	s := c.rest[:at]
	c.rest = c.rest[at+1:]
	return s
}

// lastCString also accepts a missing final zero and a missing field, as in the
// responses of some gateways.
func (c *cursor) lastCString() string {
	at := strings.IndexByte(c.rest, 0)
	if at < 0 {
		s := c.rest
		c.rest = ""
		return s
	}
	return c.cstring()
}

func (c *cursor) take(n int) string {
	if n > len(c.rest) {
		c.bad = true
		return ""
	}
	s := c.rest[:n]
	c.rest = c.rest[n:]
	return s
}
