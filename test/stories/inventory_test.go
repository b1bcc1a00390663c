package stories_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"tocsin/internal/access"
	"tocsin/internal/directory"
	"tocsin/internal/identity"
	"tocsin/internal/inventory"
	"tocsin/internal/rest"
)

// TestAnAddressLeadsToWhoAnswersForIt: a program that sees an address asks what
// it is; the person who answers for it is one of the directory, and who left it
// has no name any more.
func TestAnAddressLeadsToWhoAnswersForIt(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, database string) {
		h := build(t, night(), database)
		system := access.System(h.scope.Organisation(), "story")
		owner := h.agent("Bérénice", "ide", func(p *directory.Person) { p.Matricule = "T77" })
		found, err := h.Inventory.FindOwner(t.Context(), system, "T77")
		if err != nil || found != owner.ID {
			t.Fatalf("T77 is %s, %v", found, err)
		}
		gateway, err := h.Inventory.Save(t.Context(), system, inventory.Item{
			Kind: inventory.Gateway, Name: "Passerelle moniteurs", OwnerPerson: found, Identifiers: []inventory.Identifier{{Kind: inventory.IP, Value: "10.1.0.9"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"Moniteur 1", "Moniteur 2"} {
			i, err := h.Inventory.Save(t.Context(), system, inventory.Item{Kind: inventory.Biomedical, Name: name})
			if err != nil {
				t.Fatal(err)
			}
			if err := h.Inventory.Link(t.Context(), system, i.ID, gateway.ID); err != nil {
				t.Fatal(err)
			}
		}
		_, token, err := h.Accounts.CreateToken(t.Context(), access.Instance("story").Within(h.scope.Organisation()), identity.TokenRequest{
			Name: "Supervision", Actions: []access.Action{access.InventoryRead}, Days: 30,
		})
		if err != nil {
			t.Fatal(err)
		}
		ask := func(path string, into any) int {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, rest.Root+path, nil)
			r.Header.Set("Authorization", "Bearer "+token)
			w := httptest.NewRecorder()
			h.router.ServeHTTP(connection{w}, r)
			if w.Code == http.StatusOK {
				if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
					t.Fatalf("%s: %v", path, err)
				}
			}
			return w.Code
		}
		var list struct {
			Items []struct {
				Name  string
				Owner struct{ Name string }
			}
			Next string
		}
		if code := ask("/inventory?ip=::ffff:10.1.0.9", &list); code != http.StatusOK || len(list.Items) != 1 || list.Items[0].Name != gateway.Name || list.Items[0].Owner.Name != owner.Name() {
			t.Errorf("%d %+v", code, list)
		}
		var sheet struct {
			Carries []struct{ Name string } `json:"carries"`
		}
		if code := ask("/inventory/"+gateway.ID.String(), &sheet); code != http.StatusOK || len(sheet.Carries) != 2 {
			t.Errorf("%d %+v", code, sheet)
		}
		list.Items, list.Next = nil, ""
		if code := ask("/inventory?limit=2", &list); code != http.StatusOK || len(list.Items) != 2 || list.Next == "" {
			t.Fatalf("%d %+v", code, list)
		}
		next := list.Next
		list.Items, list.Next = nil, ""
		if code := ask("/inventory?limit=2&after="+next, &list); code != http.StatusOK || len(list.Items) != 1 || list.Next != "" {
			t.Errorf("%d %+v", code, list)
		}
		if code := ask("/inventory?ip=10.1.0", &list); code != http.StatusUnprocessableEntity && code != http.StatusBadRequest {
			t.Errorf("an address that is none: %d", code)
		}
		if code := ask("/people", &list); code != http.StatusForbidden {
			t.Errorf("its token reads people: %d", code)
		}
	})
}
