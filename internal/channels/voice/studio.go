package voice

import (
	"bytes"
	"container/list"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/singleflight"

	"tocsin/internal/wire/rtp"
	"tocsin/internal/wire/wav"
)

// What the speech program may take: the time for one text, the sound it gives
// back, how many run at once, and what is kept of their work.
const (
	speakFor   = 20 * time.Second
	speechMost = 16 << 20
	speakers   = 2
	shelfMost  = 64 << 20
	textMost   = 6000
)

// errSpeech is the cause of a text that could not be spoken.
var errSpeech = errors.New("voice: the speech program failed")

// Studio speaks texts by espeak-ng and keeps what it made: the text of an alert is
// the same for thousands of people.
type Studio struct {
	program string
	slots   chan struct{}
	making  singleflight.Group

	mu     sync.Mutex
	shelf  map[[sha256.Size]byte]*list.Element
	recent *list.List
	weight int
}

// record is a sound on the shelf.
type record struct {
	key   [sha256.Size]byte
	sound []byte
}

// NewStudio returns a studio with an empty shelf.
func NewStudio() *Studio {
	return &Studio{program: "espeak-ng", slots: make(chan struct{}, speakers), shelf: make(map[[sha256.Size]byte]*list.Element), recent: list.New()}
}

// Say gives a text spoken, in the codec. The sound is shared: nobody writes in it.
func (s *Studio) Say(ctx context.Context, text, language string, speed int, codec rtp.Codec) ([]byte, error) {
	if text == "" {
		return nil, nil
	}
	key := sha256.Sum256([]byte(strings.Join([]string{language, strconv.Itoa(speed), codec.String(), text}, "\x00")))
	if sound, ok := s.kept(key); ok {
		return sound, nil
	}
	made := s.making.DoChan(string(key[:]), func() (any, error) {
		// The work serves everyone who waits for it: it does not end with the first one's patience.
		working, cancel := context.WithTimeout(context.WithoutCancel(ctx), speakFor)
		defer cancel()
		sound, err := s.speak(working, text, language, speed, codec)
		if err == nil {
			s.keep(key, sound)
		}
		return sound, err
	})
	select {
	case r := <-made:
		sound, _ := r.Val.([]byte)
		return sound, r.Err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Record gives a recording in the codec of a trunk; load reads it, in A-law. It
// never changes, and is read once.
func (s *Studio) Record(ctx context.Context, id uuid.UUID, codec rtp.Codec, load func(context.Context, uuid.UUID) ([]byte, error)) ([]byte, error) {
	key := sha256.Sum256([]byte("recording\x00" + codec.String() + id.String()))
	if sound, ok := s.kept(key); ok {
		return sound, nil
	}
	sound, err := load(ctx, id)
	if err != nil {
		return nil, err
	}
	if codec != rtp.PCMA {
		sound = codec.Encode(rtp.PCMA.Decode(sound))
	}
	s.keep(key, sound)
	return sound, nil
}

func (s *Studio) kept(key [sha256.Size]byte) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.shelf[key]
	if !ok {
		return nil, false
	}
	s.recent.MoveToFront(e)
	r, ok := e.Value.(record)
	return r.sound, ok
}

func (s *Studio) keep(key [sha256.Size]byte, sound []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, twice := s.shelf[key]; twice {
		return
	}
	s.shelf[key] = s.recent.PushFront(record{key, sound})
	for s.weight += len(sound); s.weight > shelfMost && s.recent.Len() > 1; {
		oldest, ok := s.recent.Remove(s.recent.Back()).(record)
		if !ok {
			return
		}
		delete(s.shelf, oldest.key)
		s.weight -= len(oldest.sound)
	}
}

// voices are those of espeak-ng by language.
func voiceOf(language string) string {
	if language == "en" {
		return "en-gb"
	}
	return "fr-fr"
}

// speak runs the program once. The text goes by its input: no word of it can be
// taken for an option.
func (s *Studio) speak(ctx context.Context, text, language string, speed int, codec rtp.Codec) ([]byte, error) {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", errSpeech, ctx.Err())
	}
	if runes := []rune(text); len(runes) > textMost {
		text = string(runes[:textMost])
	}
	// A control character is nothing to say, and could be a command of the program's own.
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7F {
			return ' '
		}
		return r
	}, text)
	cmd := exec.CommandContext(ctx, s.program, "-v", voiceOf(language), "-s", strconv.Itoa(speed), "--stdout", "--stdin")
	cmd.Stdin = strings.NewReader(text)
	out := &bounded{most: speechMost}
	cmd.Stdout, cmd.WaitDelay = out, time.Second
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%w: %w", errSpeech, err)
	}
	samples, rate, err := wav.Read(out.Bytes())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errSpeech, err)
	}
	return codec.Encode(wav.Level(wav.Resample(samples, rate))), nil
}

// Ready tells whether the program can speak at all.
func (s *Studio) Ready(ctx context.Context) error {
	_, err := s.Say(ctx, "1", "fr", 150, rtp.PCMA)
	return err
}

// bounded is a buffer that refuses to grow beyond most.
type bounded struct {
	bytes.Buffer
	most int
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > b.most {
		return 0, io.ErrShortBuffer
	}
	return b.Buffer.Write(p)
}
