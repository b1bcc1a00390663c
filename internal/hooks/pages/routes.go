package pages

import (
	"context"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/alerting"
	"tocsin/internal/hooks"
	"tocsin/internal/ui"
)

// The addresses of this room.
const (
	Path     = "/administration/liaisons"
	DoorPath = "/administration/liaisons/entrees"
	// ReaderPath is under another head than the id of a subscription.
	ReaderPath = "/administration/liaisons/lecteurs"
	// FeedPath begins the secret addresses where published alerts are read.
	FeedPath = "/cap/"
)

// Options are what the pages rest on.
type Options struct {
	Service  *hooks.Service
	Alerting *alerting.Service
	// Root begins the address that a monitor calls; the id of the door follows.
	Root string
	// Feeds begins the secret address that a reader is given.
	Feeds string
}

type pages struct {
	service  *hooks.Service
	alerting *alerting.Service
	root     string
	feeds    string
}

// Routes registers the pages of this room.
func Routes(r *ui.Router, o Options) {
	p := pages{o.Service, o.Alerting, o.Root, o.Feeds}
	r.Get(Path, access.ChannelRead, p.list)
	r.Get(Path+"/nouveau", access.ChannelWrite, p.newSubscription)
	r.Post(Path+"/nouveau", access.ChannelWrite, p.subscribe)
	r.Get(DoorPath+"/nouveau", access.ChannelWrite, p.newDoor)
	r.Post(DoorPath+"/nouveau", access.ChannelWrite, p.openDoor)
	r.Get(Path+"/{id}", access.ChannelRead, p.show)
	r.Post(Path+"/{id}/essai", access.ChannelWrite, p.try)
	r.Post(Path+"/{id}/suspendre", access.ChannelWrite, p.pause)
	r.Post(Path+"/{id}/reprendre", access.ChannelWrite, p.resume)
	r.Post(Path+"/{id}/secret", access.ChannelWrite, p.rotate)
	r.Get(Path+"/{id}/supprimer", access.ChannelWrite, p.removing)
	r.Post(Path+"/{id}/supprimer", access.ChannelWrite, p.remove)
	r.Post(Path+"/{id}/messages/{message}/renvoyer", access.ChannelWrite, p.resend)
	r.Post(DoorPath+"/{id}/suspendre", access.ChannelWrite, p.pauseDoor)
	r.Post(DoorPath+"/{id}/reprendre", access.ChannelWrite, p.resumeDoor)
	r.Post(DoorPath+"/{id}/secret", access.ChannelWrite, p.rotateDoor)
	r.Get(DoorPath+"/{id}/supprimer", access.ChannelWrite, p.closingDoor)
	r.Post(DoorPath+"/{id}/supprimer", access.ChannelWrite, p.closeDoor)
	p.readerRoutes(r)
}

// titles are the names of the scenarios, by id.
func (p pages) titles(ctx context.Context, c *ui.Context) (map[uuid.UUID]string, []ui.Choice, error) {
	list, err := p.alerting.Scenarios(ctx, c.Scope, alerting.ScenarioFilter{})
	if err != nil {
		return nil, nil, err
	}
	names := map[uuid.UUID]string{}
	var choices []ui.Choice
	for _, sc := range list {
		names[sc.ID] = sc.Title.In(string(c.Loc.Language()))
		choices = append(choices, ui.Choice{Value: sc.ID.String(), Label: names[sc.ID]})
	}
	return names, choices, nil
}
