package pages

import (
	"io"

	"tocsin/internal/channels"
	"tocsin/internal/fault"
	"tocsin/internal/ui"
)

// CallbackPath is under what the peers of gateways call back.
const CallbackPath = "/passerelles"

// callMost bounds what a provider may post.
const callMost = 256 << 10

// call takes a receipt or a reply from a provider. The secret in the address
// is all there is to know whose it is; what the provider signs is checked by
// the channel. It is answered once durable, with an empty body: some providers
// send what they are answered to the person.
func (p pages) call(c *ui.Context) error {
	id, err := c.ID("passerelle")
	if err != nil {
		return err
	}
	body, err := io.ReadAll(c.Request.Body)
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "dispatch.page.call.too_large")
	}
	answer, err := p.d.Call(c.Ctx(), id, c.Request.PathValue("secret"), channels.Call{
		Method: c.Request.Method, Query: c.Request.URL.RawQuery, Header: c.Request.Header, Body: body,
	})
	if err != nil {
		return err
	}
	c.Writer.Header().Set("Content-Type", "text/plain; charset=utf-8")
	c.Writer.WriteHeader(answer.Status)
	return nil
}
