package chat

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"

	"tocsin/internal/channels"
	"tocsin/internal/wire/web"
)

// roomOf is the room where we write to a person. The homeserver remembers it under
// a name that only we can make, so that two nodes, or one that died half-way,
// find the same room.
func (c *matrix) roomOf(ctx context.Context, self, to string) (string, channels.Outcome, bool) {
	c.mu.Lock()
	id := c.rooms[to]
	c.mu.Unlock()
	if id != "" {
		return id, channels.Outcome{}, true
	}
	name := c.alias(self, to)
	_, server, _ := strings.Cut(self, ":")
	id, out, ok := c.known(ctx, name, server)
	if !ok {
		return "", out, false
	}
	if id == "" {
		if id, out, ok = c.create(ctx, name, server, to); !ok {
			return "", out, false
		}
	}
	if out, ok := c.invited(ctx, id, to); !ok {
		return "", out, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rooms[to] = id
	return id, channels.Outcome{}, true
}

// alias is the local name of the room of a person.
func (c *matrix) alias(self, to string) string {
	sum := hmac.New(sha256.New, []byte(c.roomKey))
	sum.Write([]byte(self + "\x00" + strings.ToLower(to)))
	return "tocsin-" + hex.EncodeToString(sum.Sum(nil)[:16])
}

// known looks the name up; an empty id means that there is no such room.
func (c *matrix) known(ctx context.Context, name, server string) (string, channels.Outcome, bool) {
	a := c.get(ctx, "/directory/room/"+url.PathEscape("#"+name+":"+server), nil)
	var found struct {
		RoomID string `json:"room_id"`
	}
	switch {
	case a.read(&found) && found.RoomID != "":
		return found.RoomID, channels.Outcome{}, true
	case a.Err == nil && a.Status == http.StatusNotFound && a.code == "M_NOT_FOUND":
		return "", channels.Outcome{}, true
	}
	return "", c.before(a), false
}

// create makes the room and invites the person; of two that make it at once, the
// second finds the first's.
func (c *matrix) create(ctx context.Context, name, server, to string) (string, channels.Outcome, bool) {
	if out, ok := c.exists(ctx, to); !ok {
		return "", out, false
	}
	a := c.post(ctx, "/createRoom", map[string]any{
		"preset": "private_chat", "is_direct": true, "name": c.roomName, "room_alias_name": name, "invite": []string{to},
	})
	var made struct {
		RoomID string `json:"room_id"`
	}
	switch {
	case a.read(&made) && made.RoomID != "":
		return made.RoomID, channels.Outcome{}, true
	case a.code == "M_ROOM_IN_USE":
		id, out, ok := c.known(ctx, name, server)
		if ok && id == "" {
			return "", channels.Outcome{State: channels.Retry, Reason: channels.ReasonPeerError, Detail: a.code, RetryAfter: web.ThrottleWait, Alone: true}, false
		}
		return id, out, ok
	}
	return "", c.refusal(a), false
}

// exists asks for the profile of a person whom we never wrote to. A homeserver that
// shows no profile is taken at its word only when it says « not found ».
func (c *matrix) exists(ctx context.Context, to string) (channels.Outcome, bool) {
	a := c.get(ctx, "/profile/"+url.PathEscape(to), nil)
	switch {
	case a.Err == nil && a.Status == http.StatusNotFound && a.code == "M_NOT_FOUND":
		return channels.Outcome{State: channels.Refused, Reason: channels.ReasonInvalidAddress, Detail: a.code}, false
	case a.Err == nil && (a.Status < 300 || a.code == "M_FORBIDDEN" || a.Status == http.StatusNotFound || a.Status == http.StatusBadGateway):
		return channels.Outcome{}, true
	}
	return c.before(a), false
}

// invited makes sure that the person is in the room, or asked in.
func (c *matrix) invited(ctx context.Context, id, to string) (channels.Outcome, bool) {
	path := "/rooms/" + url.PathEscape(id)
	a := c.get(ctx, path+"/state/m.room.member/"+url.PathEscape(to), nil)
	var member struct {
		Membership string `json:"membership"`
	}
	switch {
	case a.read(&member) && (member.Membership == "join" || member.Membership == "invite"):
		return channels.Outcome{}, true
	case a.read(&member) && member.Membership == "ban":
		return channels.Outcome{State: channels.Refused, Reason: channels.ReasonBlocked, Detail: "ban"}, false
	case !a.read(&member) && (a.Err != nil || a.code != "M_NOT_FOUND"):
		return c.before(a), false
	}
	if a = c.post(ctx, path+"/invite", map[string]string{"user_id": to}); a.read(&struct{}{}) {
		return channels.Outcome{}, true
	}
	return c.refusal(a), false
}

// refusal is what a homeserver says when it does not let us ask a person in.
func (c *matrix) refusal(a said) channels.Outcome {
	if a.Err == nil && (a.code == "M_NOT_FOUND" || a.code == "M_INVALID_PARAM") {
		return channels.Outcome{State: channels.Refused, Reason: channels.ReasonInvalidAddress, Detail: a.code}
	}
	return c.before(a)
}
