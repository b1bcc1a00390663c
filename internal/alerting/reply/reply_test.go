package reply_test

import (
	"testing"

	"tocsin/internal/alerting/reply"
)

func TestTheAnswersOfTheBrief(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]reply.Result{
		"1":                               {Minutes: -1, Key: "1"},
		"1 30":                            {Kind: reply.Coming, Minutes: 30, Key: "1"},
		"1.30":                            {Kind: reply.Coming, Minutes: 30, Key: "1"},
		"OUI j'arrive 30 min":             {Kind: reply.Coming, Minutes: 30},
		"oui dans une demi heure":         {Kind: reply.Coming, Minutes: 30},
		"j'arrive ds 20mn":                {Kind: reply.Coming, Minutes: 20},
		"ok jarive":                       {Kind: reply.Coming, Minutes: -1},
		"1h30":                            {Kind: reply.Coming, Minutes: 90},
		"ds 1h":                           {Kind: reply.Coming, Minutes: 60},
		"vers 14h":                        {Kind: reply.Coming, Minutes: -1},
		"non":                             {Kind: reply.Unavailable, Minutes: -1},
		"nn dsl":                          {Kind: reply.Unavailable, Minutes: -1},
		"impossible, en congés":           {Kind: reply.Unavailable, Minutes: -1},
		"pas dispo":                       {Kind: reply.Unavailable, Minutes: -1},
		"je ne peux pas venir":            {Kind: reply.Unavailable, Minutes: -1},
		"je peux pas":                     {Kind: reply.Unavailable, Minutes: -1},
		"suis sur place":                  {Kind: reply.OnSite, Minutes: -1},
		"déjà là":                         {Kind: reply.OnSite, Minutes: -1},
		"de garde":                        {Kind: reply.OnSite, Minutes: -1},
		"rappelez moi":                    {Kind: reply.CallMe, Minutes: -1},
		"call me":                         {Kind: reply.CallMe, Minutes: -1},
		"STOP":                            {Kind: reply.Stop, Minutes: -1},
		"STOP SMS":                        {Kind: reply.Stop, Minutes: -1},
		"non merci mais si besoin demain": {Kind: reply.Unavailable, Minutes: -1},
		"je ne viens pas":                 {Kind: reply.Unavailable, Minutes: -1},
		"pas de souci j'arrive":           {Kind: reply.Coming, Minutes: -1},
		"pas possible avant 2h":           {Kind: reply.Coming, Minutes: 120},
	} {
		if got := reply.Parse(text); got != want {
			t.Errorf("Parse(%q) = %+v, want %+v", text, got, want)
		}
	}
}
