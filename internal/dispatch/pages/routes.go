package pages

import (
	"time"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/dispatch"
	"tocsin/internal/ui"
)

// Path is where the gateways are.
const Path = "/administration/canaux"

// checkTime bounds a test: a gateway may take two minutes not to answer.
const checkTime = 3 * time.Minute

// Options are what the pages rest on.
type Options struct {
	Service *dispatch.Dispatch
}

type pages struct{ d *dispatch.Dispatch }

// Routes registers the pages of this room.
func Routes(r *ui.Router, o Options) {
	p := pages{d: o.Service}
	r.Get(Path, access.ChannelRead, p.list)
	r.Get(Path+"/nouveau", access.ChannelWrite, p.newGateway)
	r.Post(Path+"/nouveau", access.ChannelWrite, p.add)
	r.Get(Path+"/{id}", access.ChannelRead, p.show)
	r.Get(Path+"/{id}/modifier", access.ChannelWrite, p.edit)
	r.Post(Path+"/{id}/modifier", access.ChannelWrite, p.save)
	r.Post(Path+"/{id}/essai", access.ChannelWrite, p.check, ui.Lasting(checkTime))
	r.Post(Path+"/{id}/activer", access.ChannelWrite, p.enable)
	r.Get(Path+"/{id}/desactiver", access.ChannelWrite, p.disabling)
	r.Post(Path+"/{id}/desactiver", access.ChannelWrite, p.disable)
	r.Get(Path+"/{id}/supprimer", access.ChannelWrite, p.deleting)
	r.Post(Path+"/{id}/supprimer", access.ChannelWrite, p.remove)
	r.Get(IsolationPath, access.AlertRead, p.isolation)
	r.Post(IsolationPath, access.AlertConduct, p.isolate)
	r.Post(isolationAdmin, access.ChannelWrite, p.isolate)
	called := []ui.RouteOption{ui.Bare(), ui.Raw(callMost)}
	r.Get(CallbackPath+"/{passerelle}/retour/{secret}", ui.Public, p.call, called...)
	r.Post(CallbackPath+"/{passerelle}/retour/{secret}", ui.Public, p.call, called...)
}

// Rail are the entries of this room in the left rail.
func Rail() []ui.NavItem {
	return []ui.NavItem{{Label: "dispatch.page.rail", Path: Path, Icon: "antenna", Need: access.ChannelRead}}
}

// GatewayPath is the page of a gateway.
func GatewayPath(id uuid.UUID) string { return Path + "/" + id.String() }
