package backup

import (
	"io/fs"
	"testing/fstest"
)

// only is a choice of migrations, by name.
type only map[string]fs.FS

func (o only) files() (fs.FS, error) {
	out := fstest.MapFS{}
	for name, room := range o {
		text, err := fs.ReadFile(room, "migrations/"+name)
		if err != nil {
			return nil, err
		}
		out["migrations/"+name] = &fstest.MapFile{Data: text}
	}
	return out, nil
}
