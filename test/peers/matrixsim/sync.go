package matrixsim

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// filter is what of a filter this server knows.
type filter struct {
	Room struct {
		Timeline struct {
			Types      []string `json:"types"`
			NotSenders []string `json:"not_senders"`
			Limit      int      `json:"limit"`
		} `json:"timeline"`
		Ephemeral struct {
			Types []string `json:"types"`
		} `json:"ephemeral"`
	} `json:"room"`
}

func place(token string) int {
	n, err := strconv.Atoi(strings.TrimPrefix(token, "s"))
	if err != nil {
		return 0
	}
	return n
}

func token(pos int) string { return "s" + strconv.Itoa(pos) }

// sync answers at once when there is something after the place, and waits for it
// otherwise.
func (s *Server) sync(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	var f filter
	if json.Unmarshal([]byte(q.Get("filter")), &f) != nil || f.Room.Timeline.Limit == 0 {
		trouble(w, http.StatusBadRequest, "M_BAD_JSON")
		return
	}
	wait, err := strconv.Atoi(q.Get("timeout"))
	if err != nil {
		wait = 0
	}
	since := place(q.Get("since"))
	s.mu.Lock()
	deaf := s.deaf
	s.mu.Unlock()
	if deaf != nil {
		select {
		case <-deaf:
		case <-r.Context().Done():
			return
		}
	}
	end := time.NewTimer(time.Duration(wait) * time.Millisecond)
	defer end.Stop()
	for {
		s.mu.Lock()
		if q.Get("since") != "" {
			if since < s.read || s.looks > 0 && since == s.read && s.servedAfter(since) {
				s.refusals++
			}
			s.read = max(s.read, since)
		}
		s.looks++
		out, something := s.after(since, f)
		bell, bloat := s.bell, s.bloat
		s.mu.Unlock()
		if something || q.Get("since") == "" {
			if bloat && f.Room.Timeline.Limit > 1 {
				out["trop"] = strings.Repeat("x", 9<<20)
			}
			reply(w, 200, out)
			return
		}
		select {
		case <-bell:
		case <-end.C:
			reply(w, 200, out)
			return
		case <-r.Context().Done():
			return
		}
	}
}

// servedAfter tells whether something after the place was given before, so that
// being asked from there again is a refusal.
func (s *Server) servedAfter(pos int) bool {
	for _, e := range s.events[min(pos, len(s.events)):] {
		if e.servedOnce {
			e.servedOnce = false
			return true
		}
	}
	return false
}

// after is what happened after a place, room by room.
func (s *Server) after(since int, f filter) (map[string]any, bool) {
	join := map[string]any{}
	for _, r := range s.rooms {
		var timeline, ephemeral []*event
		for _, e := range s.events[min(since, len(s.events)):] {
			switch {
			case e.room != r.id || slices.Contains(f.Room.Timeline.NotSenders, e.Sender):
			case e.ephemeral && slices.Contains(f.Room.Ephemeral.Types, e.Type):
				ephemeral = append(ephemeral, e)
			case !e.ephemeral && slices.Contains(f.Room.Timeline.Types, e.Type):
				timeline = append(timeline, e)
			}
		}
		if len(timeline)+len(ephemeral) == 0 {
			continue
		}
		before, limited := since, false
		if n := len(timeline) - f.Room.Timeline.Limit; n > 0 {
			before, limited, timeline = timeline[n-1].pos, true, timeline[n:]
		}
		for _, e := range append(slices.Clone(timeline), ephemeral...) {
			e.servedOnce = true
		}
		join[r.id] = map[string]any{
			"timeline":  map[string]any{"events": timeline, "limited": limited, "prev_batch": token(before)},
			"state":     map[string]any{"events": []any{}},
			"ephemeral": map[string]any{"events": ephemeral},
		}
	}
	return map[string]any{"next_batch": token(len(s.events)), "rooms": map[string]any{"join": join}}, len(join) > 0
}

// messages turns the pages of a room back.
func (s *Server) messages(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	var f struct {
		Types      []string `json:"types"`
		NotSenders []string `json:"not_senders"`
	}
	limit, err := strconv.Atoi(q.Get("limit"))
	if json.Unmarshal([]byte(q.Get("filter")), &f) != nil || err != nil || q.Get("dir") != "b" {
		trouble(w, http.StatusBadRequest, "M_BAD_JSON")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var chunk []*event
	out := map[string]any{}
	for pos := min(place(q.Get("from")), len(s.events)); pos > place(q.Get("to")); pos-- {
		e := s.events[pos-1]
		if e.room != r.PathValue("room") || !slices.Contains(f.Types, e.Type) || slices.Contains(f.NotSenders, e.Sender) {
			continue
		}
		if len(chunk) == limit {
			out["end"] = token(pos)
			break
		}
		chunk = append(chunk, e)
	}
	out["chunk"] = chunk
	reply(w, 200, out)
}
