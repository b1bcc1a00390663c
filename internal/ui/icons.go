package ui

import (
	"maps"
	"slices"
	"sync"
)

// icons is read by every page; it is made once.
var icons = sync.OnceValue(iconPaths)

func iconPath(name string) string { return icons()[name] }

// iconPaths draws each icon in a 24 × 24 square, in lines of 2.
func iconPaths() map[string]string {
	return map[string]string{
		"alert":        "M18 16V11a6 6 0 1 0-12 0v5l-2 2h16zM10 21h4",
		"antenna":      "M12 12v9M8 21h8M12 8v.01M8.5 11.5a5 5 0 0 1 0-7M15.5 11.500a5 5 0 0 0 0-7M5.5 14.500a9 9 0 0 1 0-13M18.5 14.500a9 9 0 0 0 0-13",
		"arrow-left":   "M19 12H5M11 6l-6 6 6 6",
		"arrow-right":  "M5 12h14M13 6l6 6-6 6",
		"bolt":         "M13 2 5 14h6l-1 8 8-12h-6z",
		"book":         "M5 4h12a2 2 0 0 1 2 2v14H7a2 2 0 0 1-2-2zM5 18a2 2 0 0 1 2-2h12M9 8h6",
		"building":     "M5 21V4h9v17M14 9h5v12M3 21h18M8 8h3M8 12h3M8 16h3",
		"calendar":     "M4 6h16v14H4zM4 10h16M8 3v5M16 3v5",
		"chart":        "M4 4v16h16M8 15l4-5 3 3 5-7",
		"check":        "M5 13l4 4L19 7",
		"chevron-down": "M6 9l6 6 6-6",
		"clock":        "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 7v5l3 2",
		"copy":         "M9 9h11v11H9zM5 15H4V4h11v1",
		"cross":        "M6 6l12 12M18 6L6 18",
		"door":         "M6 21V4l9-1v18M15 5h3v16M3 21h18M11 12v.01",
		"download":     "M12 4v11M7 11l5 5 5-5M4 20h16",
		"edit":         "M4 20l1-4L16 5l3 3L8 19zM13 8l3 3",
		"eye":          "M2 12s4-7 10-7 10 7 10 7-4 7-10 7S2 12 2 12zM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z",
		"filter":       "M4 5h16l-6 8v6l-4-2v-4z",
		"flag":         "M5 21V4h12l-2 4 2 4H5",
		"gauge":        "M4 18a9 9 0 1 1 16 0M12 14l4-5",
		"help":         "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM9.5 9.500a2.5 2.5 0 1 1 3.5 2.300c-.7.3-1 .8-1 1.700M12 17v.01",
		"home":         "M4 11l8-7 8 7M6 10v10h12V10M10 20v-6h4v6",
		"journal":      "M6 3h10l3 3v15H6zM9 9h7M9 13h7M9 17h4",
		"key":          "M8 11a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM11 12l9-9M16 7l3 3M14 9l2 2",
		"link":         "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1",
		"list":         "M9 6h11M9 12h11M9 18h11M4 6h.01M4 12h.01M4 18h.01",
		"lock":         "M6 11h12v10H6zM9 11V7a3 3 0 0 1 6 0v4",
		"logout":       "M14 4h5v16h-5M3 12h11M10 8l4 4-4 4",
		"mail":         "M3 6h18v13H3zM3 7l9 7 9-7",
		"menu":         "M4 6h16M4 12h16M4 18h16",
		"megaphone":    "M4 10v5h4l9 5V5L8 10zM20 10v5M8 15v5h3",
		"message":      "M4 5h16v11H10l-5 4v-4H4zM8 9h8M8 12h5",
		"minus":        "M5 12h14",
		"phone":        "M7 3H4c0 9.4 7.6 17 17 17v-4l-5-2-2 2c-3-1.5-5.5-4-7-7l2-2z",
		"pin":          "M12 21s7-6.5 7-12a7 7 0 1 0-14 0c0 5.5 7 12 7 12zM12 7a2 2 0 1 0 0 4 2 2 0 0 0 0-4z",
		"play":         "M7 4l12 8-12 8z",
		"plus":         "M12 5v14M5 12h14",
		"print":        "M7 9V3h10v6M7 17H4V9h16v8h-3M7 14h10v7H7z",
		"refresh":      "M20 12a8 8 0 1 1-2.5-5.800M20 3v5h-5",
		"scenario":     "M5 3h10l4 4v14H5zM14 3v5h5M9 13h6M9 17h4",
		"screen":       "M3 4h18v12H3zM9 20h6M12 16v4",
		"search":       "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5 21 21",
		"send":         "M3 11 21 3l-7 18-3-7zM11 14l5-6",
		"settings":     "M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM12 2v4M12 18v4M2 12h4M18 12h4M5 5l2.8 2.800M16.2 16.2 19 19M5 19l2.8-2.800M16.2 7.8 19 5",
		"shield":       "M12 3l8 3v6c0 5-3.5 8-8 9-4.5-1-8-4-8-9V6zM9 12l2 2 4-4",
		"stop":         "M6 6h12v12H6z",
		"tocsin":       "M7 17h10l-1.5-3V9a3.5 3.5 0 0 0-7 0v5zM12 3v2.500M10.5 20h3M3.5 8.500a9 9 0 0 1 2.5-5M20.5 8.500a9 9 0 0 0-2.5-5",
		"trash":        "M4 7h16M9 7V4h6v3M6 7l1 14h10l1-14M10 11v6M14 11v6",
		"undo":         "M9 7 4 12l5 5M4 12h10a6 6 0 0 1 6 6v1",
		"upload":       "M12 16V5M7 9l5-5 5 5M4 20h16",
		"user":         "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM4 21c0-4 3.5-6 8-6s8 2 8 6",
		"users":        "M9 5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM2 20c0-4 3-5.5 7-5.500s7 1.5 7 5.500M16 5.200a3.5 3.5 0 0 1 0 6.600M18 15c2.7.6 4 2.2 4 5",
		"wave":         "M3 8c3-4 6-4 9 0s6 4 9 0M3 16c3-4 6-4 9 0s6 4 9 0",
	}
}

// Icons lists the names Icon knows.
func Icons() []string { return slices.Sorted(maps.Keys(icons())) }

// shapePath draws a tone so that it is told apart without its colour: circle,
// triangle, diamond, octagon; a tick for what went well.
func shapePath(t Tone) string {
	switch t {
	case Attention:
		return "M12 2.5 23 21.500H1zM11 9h2v6h-2zM11 17h2v2h-2z"
	case Alert:
		return "M12 .8 23.2 12 12 23.2.8 12zM11 6.500h2v7h-2zM11 15.500h2v2h-2z"
	case Critical:
		return "M7.5 1h9L23 7.500v9L16.5 23h-9L1 16.500v-9zM8.8 7.4 7.4 8.800l3.2 3.2-3.2 3.2 1.4 1.4 3.2-3.2 3.2 3.2 1.4-1.4-3.2-3.2 3.2-3.2-1.4-1.4-3.2 3.200z"
	case Success:
		return "M12 1a11 11 0 1 0 0 22 11 11 0 0 0 0-22zM10.5 17 5.8 12.300l1.5-1.5 3.2 3.2 6.2-6.2 1.5 1.500z"
	case Information:
		return "M12 1a11 11 0 1 0 0 22 11 11 0 0 0 0-22zM11 6h2v2h-2zM11 10h2v8h-2z"
	case Neutral:
	}
	return "M3 11h18v2H3z"
}
