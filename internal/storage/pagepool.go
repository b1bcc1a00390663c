package storage

import (
	"sync"

	"modernc.org/libc"
	"modernc.org/libc/sys/types"
	sqlite3 "modernc.org/sqlite/lib"
)

// The pool of pages: how many, and the bytes of each. A page of the file is
// 4,096 bytes (no file of ours has another size), and SQLite keeps about 250 more
// beside it.
const (
	pooledPages = 6_000
	pooledBytes = 4_096 + 320
)

// poolPages gives SQLite the memory of its pages once for the process, before
// it opens anything. Otherwise each page is asked of an allocator that gives
// 8,192 bytes for it and hands them back to the system: as every commit makes
// the readers forget their pages, a list of 100,000 people spent a third of its
// time there. Beyond the pool SQLite takes pages as before, so that a refusal
// costs time only and there is nothing to report.
func poolPages() {
	tls := libc.NewTLS()
	defer tls.Close()
	pages := libc.Xmalloc(tls, types.Size_t(pooledPages*pooledBytes))
	if pages == 0 {
		return
	}
	list := libc.NewVaList(pages, int32(pooledBytes), int32(pooledPages))
	defer libc.Xfree(tls, list)
	if sqlite3.Xsqlite3_config(tls, sqlite3.SQLITE_CONFIG_PAGECACHE, list) != sqlite3.SQLITE_OK {
		libc.Xfree(tls, pages)
	}
}

// pageMemory runs poolPages at the first file opened: SQLite knows one pool a process.
var pageMemory = sync.OnceFunc(poolPages)
