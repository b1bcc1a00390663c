package table

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"path"
	"strings"

	"tocsin/internal/fault"
)

type kind int

const (
	kindCSV kind = iota
	kindXLSX
)

// recognise looks at the first bytes, never at the name alone: people rename
// files. Each thing we do not read has its own sentence, with what to do.
func recognise(r io.ReaderAt, size int64, name string) (kind, error) {
	head := make([]byte, min(size, 4096))
	if _, err := r.ReadAt(head, 0); err != nil && err != io.EOF {
		return 0, fault.Wrap(err, fault.Invalid, "table.broken")
	}
	text := bytes.ToLower(bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \r\n\t"))
	switch {
	case len(head) == 0:
		return 0, fault.New(fault.Invalid, "table.empty")
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		return kindXLSX, nil
	case bytes.HasPrefix(head, []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")):
		return 0, compound(r, size)
	case bytes.HasPrefix(text, []byte("<html")), bytes.HasPrefix(text, []byte("<!doctype")),
		bytes.HasPrefix(text, []byte("<table")), bytes.HasPrefix(text, []byte("<?xml")):
		return 0, fault.New(fault.Invalid, "table.markup")
	case bytes.HasPrefix(head, []byte("%PDF")), bytes.HasPrefix(text, []byte("{\\rtf")), isBinary(head):
		return 0, fault.New(fault.Invalid, "table.not_a_table", "extension", extension(name))
	}
	return kindCSV, nil
}

// extension is for the sentence only.
func extension(name string) string {
	if e := strings.TrimPrefix(strings.ToLower(path.Ext(name)), "."); e != "" && len(e) <= 8 {
		return e
	}
	return "?"
}

// isBinary recognises images and programs by their control characters. NUL does
// not count: UTF-16 and damaged exports are full of it.
func isBinary(head []byte) bool {
	controls := 0
	for _, b := range head {
		if b < 0x20 && b != 0 && b != '\t' && b != '\n' && b != '\r' && b != 0x0c && b != 0x1a {
			controls++
		}
	}
	return controls*20 > len(head) && !bytes.HasPrefix(head, []byte("\xff\xfe")) && !bytes.HasPrefix(head, []byte("\xfe\xff"))
}

// compound tells a workbook behind a password from one of Excel 97: both are
// the same container.
func compound(r io.ReaderAt, size int64) error {
	needle := utf16le("EncryptedPackage")
	buffer := make([]byte, 64<<10)
	for offset := int64(0); offset < size; offset += int64(len(buffer) - len(needle)) {
		n, err := r.ReadAt(buffer, offset)
		if bytes.Contains(buffer[:n], needle) {
			return fault.New(fault.Invalid, "table.password")
		}
		if err != nil {
			break
		}
	}
	return fault.New(fault.Invalid, "table.xls")
}

func utf16le(s string) []byte {
	out := make([]byte, 0, 2*len(s))
	for _, b := range []byte(s) {
		out = append(out, b, 0)
	}
	return out
}

// checkZip refuses what is not an XLSX, and a zip bomb before anything is
// unzipped. The sizes are those the file declares; archive/zip fails on a part
// that grows beyond its own.
func checkZip(z *zip.Reader, limits Limits) error {
	var total uint64
	workbook := false
	if len(z.File) > 10_000 {
		return fault.New(fault.Invalid, "table.bomb")
	}
	for _, f := range z.File {
		name := strings.ToLower(strings.ReplaceAll(f.Name, "\\", "/"))
		switch {
		case name == "content.xml":
			return fault.New(fault.Invalid, "table.ods")
		case name == "xl/workbook.bin":
			return fault.New(fault.Invalid, "table.xlsb")
		case name == "xl/workbook.xml":
			workbook = true
		case name == "xl/sharedstrings.xml" && f.UncompressedSize64 > uint64(limits.MaxSharedStrings):
			return fault.New(fault.Invalid, "table.bomb")
		}
		total += f.UncompressedSize64
		ratio := f.UncompressedSize64 / max(f.CompressedSize64, 1)
		if f.UncompressedSize64 > 1<<20 && ratio > uint64(limits.MaxRatio) || total > uint64(limits.MaxUncompressed) {
			return fault.New(fault.Invalid, "table.bomb")
		}
	}
	if !workbook {
		return fault.New(fault.Invalid, "table.not_a_table", "extension", "zip")
	}
	return checkSheets(z)
}

// checkSheets reads every sheet through once: its checksum must be right, and
// it must end as a sheet ends. The library takes a sheet cut short for a
// complete one, and the rows after the cut would be lost in silence.
func checkSheets(z *zip.Reader) error {
	for _, f := range z.File {
		name := strings.ToLower(f.Name)
		if !strings.HasPrefix(name, "xl/worksheets/") || !strings.HasSuffix(name, ".xml") {
			continue
		}
		tail, err := ending(f)
		if err != nil {
			return fault.Wrap(err, fault.Invalid, "table.broken")
		}
		if !bytes.Contains(tail, []byte("worksheet>")) || !bytes.Contains(tail, []byte("</")) {
			return fault.New(fault.Invalid, "table.broken")
		}
	}
	return nil
}

// ending gives the last bytes of a part, having read it all.
func ending(f *zip.File) (tail []byte, err error) {
	in, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	const kept = 256
	buffer := make([]byte, 64<<10)
	for {
		n, err := in.Read(buffer)
		tail = append(tail, buffer[:n]...)
		tail = tail[max(0, len(tail)-kept):]
		if err == io.EOF {
			return tail, nil
		}
		if err != nil {
			return nil, err
		}
	}
}
