package app_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"tocsin/internal/app"
	"tocsin/internal/config"
	"tocsin/internal/rest"
)

var update = flag.Bool("update", false, "write the golden files again")

// TestTheDescriptionIsTheOnePublished holds the description that programs are
// written against: it changes with the code that answers, and somebody sees it.
func TestTheDescriptionIsTheOnePublished(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	settings := &config.Server{
		Data: filepath.Join(dir, "data"), KeyFile: filepath.Join(dir, "key"), Listen: "127.0.0.1:0", PublicURL: "https://tocsin.example", LogLevel: "info", LogFormat: "text",
		Language: "fr", Timezone: "Europe/Paris", SMTPProto: "smtp",
	}
	if err := settings.Validate(); err != nil {
		t.Fatal(err)
	}
	h, err := app.Build(t.Context(), app.Plan{Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	router, err := h.Router()
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	router.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, rest.Described+".json", nil))
	var doc map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatalf("%d: %v", w.Code, err)
	}
	info, ok := doc["info"].(map[string]any)
	if !ok {
		t.Fatalf("no info: %s", w.Body)
	}
	info["version"] = "v1"
	var got bytes.Buffer
	enc := json.NewEncoder(&got)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(doc); err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join(docs, "openapi.json")
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Error("docs/openapi.json is not what the code answers: go test ./internal/app -run Description -update, and read the difference")
	}
}
