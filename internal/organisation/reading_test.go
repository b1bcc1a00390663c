package organisation_test

import (
	"testing"

	"github.com/google/uuid"

	"tocsin/internal/access"
	"tocsin/internal/organisation"
)

func TestNodesAreReadWidestFirst(t *testing.T) {
	each(t, func(t *testing.T, h house) {
		site := h.add(t, h.scope, organisation.Site, "Valbrume Nord", uuid.Nil)
		h.add(t, h.scope, organisation.CareService, "Urgences", site)
		h.add(t, h.scope, organisation.CareService, "Éveil", site)
		ght := h.add(t, h.scope, organisation.GHT, "GHT du Lac", uuid.Nil)
		if err := h.CloseNode(t.Context(), h.scope, ght); err != nil {
			t.Fatal(err)
		}
		got, err := h.Nodes(t.Context(), h.scope)
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"GHT du Lac", "Valbrume Nord", "Éveil", "Urgences"}
		if len(got) != len(want) {
			t.Fatalf("%d nodes, want %d", len(got), len(want))
		}
		for i, n := range got {
			if n.Name != want[i] {
				t.Errorf("node %d is %s, want %s", i, n.Name, want[i])
			}
		}
		if got[0].Closed.IsZero() {
			t.Error("the closed GHT does not say when it closed")
		}
		one, err := h.Node(t.Context(), h.scope, site)
		if err != nil || one.Name != "Valbrume Nord" {
			t.Errorf("node %+v, %v", one, err)
		}
		other := h.create(t, "CH voisin")
		_, err = h.Node(t.Context(), other, site)
		wantFault(t, err, "organisation.node_not_found")
		_, err = h.Nodes(t.Context(), access.Scope{})
		if err == nil {
			t.Error("nobody reads the nodes")
		}
	})
}

func TestWhatHangsUnderWhat(t *testing.T) {
	t.Parallel()
	tests := []struct {
		parent, child organisation.Kind
		may           bool
	}{
		{organisation.GHT, organisation.Site, true},
		{organisation.Site, organisation.CareService, true},
		{organisation.CareService, organisation.CareService, true},
		{organisation.CareService, organisation.Site, false},
		{organisation.GHT, organisation.GHT, false},
	}
	for _, tt := range tests {
		if got := tt.parent.May(tt.child); got != tt.may {
			t.Errorf("%s under %s: %v, want %v", tt.child, tt.parent, got, tt.may)
		}
	}
	if !(organisation.Link{}).Holds() || (organisation.Link{To: morning}).Holds() {
		t.Error("a link holds until it has an end")
	}
}
