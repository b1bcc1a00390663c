package chat

import "errors"

// cannotReadText is said in a room, where the language of the person is not known.
const cannotReadText = "Votre message est chiffré : il n’a pas pu être lu, et votre réponse n’est pas comptée. Répondez par le lien reçu.\n" +
	"Your message is encrypted: it could not be read, and your answer is not counted. Answer by the link you received."

// errUnread means that what was said before could not be read now.
var errUnread = errors.New("chat: a page of a room could not be read")
