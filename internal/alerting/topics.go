package alerting

import "github.com/google/uuid"

// Topic is the live topic of an alert.
func Topic(launch uuid.UUID) string { return "alert/" + launch.String() }

// TopicActive is the live topic of an establishment's banner.
func TopicActive(organisation uuid.UUID) string { return "alerts/" + organisation.String() }
