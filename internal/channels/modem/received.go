package modem

import (
	"context"
	"encoding/binary"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf16"

	"tocsin/internal/channels"
)

// The names the daemon gives: "IN", date, time, serial number, sender, part.
var receivedName = regexp.MustCompile(`^(IN\d{8}_\d{6}_\d{2}_([^_]{1,40}))_(\d{2})\.txt$`)

// receivedMost bounds one part, which holds at most 160 characters.
const receivedMost = 4 << 10

// received is one text, in parts.
type received struct {
	from  string
	paths []string
	size  int64
}

// sighting is what a look found in the inbox. A text is taken once two looks agree on
// it: the daemon may be writing its last part.
type sighting map[string]received

func (s sighting) agrees(with sighting, id string) bool {
	return len(s[id].paths) == len(with[id].paths) && s[id].size == with[id].size
}

// collect hands the texts received to the inbox, and removes those that were kept.
func (c *channel) collect(ctx context.Context, before sighting) sighting {
	now := c.readInbox()
	for id, r := range now {
		if !now.agrees(before, id) {
			continue
		}
		text := ""
		for _, path := range r.paths {
			text += c.read(path)
		}
		reply := channels.Reply{PeerID: id, From: r.from, Text: text, At: c.now()}
		if err := c.inbox.Replies(ctx, []channels.Reply{reply}); err != nil {
			c.log.Error("modem: a text received could not be kept; it stays in its folder", "error", err)
			continue
		}
		for _, path := range r.paths {
			c.remove(path)
		}
	}
	return now
}

func (c *channel) readInbox() sighting {
	out := sighting{}
	for _, e := range c.entries(c.config.inbox) {
		m := receivedName.FindStringSubmatch(e.Name())
		info, err := e.Info()
		if m == nil || err != nil || !info.Mode().IsRegular() {
			continue
		}
		r := out[m[1]]
		r.from, r.size = m[2], r.size+info.Size()
		r.paths = append(r.paths, filepath.Join(c.config.inbox, e.Name()))
		slices.Sort(r.paths)
		out[m[1]] = r
	}
	return out
}

func (c *channel) entries(folder string) []fs.DirEntry {
	list, err := os.ReadDir(folder)
	if err != nil {
		c.log.Warn("modem: a folder cannot be read", "error", withoutName(err))
	}
	return list
}

func (c *channel) read(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	text, err := io.ReadAll(io.LimitReader(f, receivedMost))
	if closing := f.Close(); err != nil || closing != nil {
		return ""
	}
	return decode(text)
}

// decode reads UTF-16 behind its mark, in either order, or UTF-8: what the daemon
// writes depends on its settings.
func decode(text []byte) string {
	var order binary.ByteOrder
	switch {
	case len(text) >= 2 && text[0] == 0xfe && text[1] == 0xff:
		order = binary.BigEndian
	case len(text) >= 2 && text[0] == 0xff && text[1] == 0xfe:
		order = binary.LittleEndian
	default:
		return strings.ToValidUTF8(string(text), "�")
	}
	units := make([]uint16, 0, len(text)/2)
	for text = text[2:]; len(text) >= 2; text = text[2:] {
		units = append(units, order.Uint16(text))
	}
	return string(utf16.Decode(units))
}

// utf16BE writes a text so that the daemon reads it whatever the language of its machine.
func utf16BE(text string) []byte {
	out := []byte{0xfe, 0xff}
	for _, u := range utf16.Encode([]rune(text)) {
		out = binary.BigEndian.AppendUint16(out, u)
	}
	return out
}

// ours is the name of a file that this channel wrote.
var ours = regexp.MustCompile(`^OUTA\d{8}_\d{6}_00_\+?\d+_[0-9a-f]{32}\.txt$`)

// sentKept is how long a message sent stays in its folder, to be found again after a crash.
const (
	sentKept  = 24 * time.Hour
	tidyEvery = 10 * time.Minute
)

// tidy removes what this channel sent long ago: it holds numbers and texts.
func (c *channel) tidy() {
	for _, e := range c.entries(c.config.sent) {
		if !ours.MatchString(e.Name()) {
			continue
		}
		if info, err := e.Info(); err == nil && c.now().Sub(info.ModTime()) > sentKept {
			c.remove(filepath.Join(c.config.sent, e.Name()))
		}
	}
}
