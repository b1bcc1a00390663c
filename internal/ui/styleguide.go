package ui

func styleGuide(c *Context) error {
	return c.Render(styleGuidePage(c, c.Form()))
}

func styleGuideFrame(c *Context) error { return errNoSuchPage }
