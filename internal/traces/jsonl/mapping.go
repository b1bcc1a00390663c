package jsonl

import "tocsin/internal/traces"

// Default is what is understood without a mapping of one's own: the names of
// our model, in English and in French, and those of the Elastic Common Schema,
// which Beats and Fluent Bit write. A new map each time: it is the caller's.
func Default() Mapping {
	m := Mapping{}
	for _, p := range traces.Places() {
		if p != traces.PlaceIgnored {
			m[p.String()] = p
		}
	}
	for path, place := range common {
		m[path] = place
	}
	return m
}

var common = map[string]traces.Place{
	// Elastic Common Schema, and what Beats add to it.
	"@timestamp": traces.PlaceAt, "event.id": traces.PlaceKey,
	"user.name": traces.PlaceAccount, "user.full_name": traces.PlacePerson, "user.roles": traces.PlaceFunction, "user.effective.name": traces.PlaceDelegate,
	"event.action": traces.PlaceAction, "event.outcome": traces.PlaceOutcome, "event.reason": traces.PlacePurpose,
	"source.ip": traces.PlaceAddress, "client.ip": traces.PlaceAddress, "source.address": traces.PlaceAddress,
	"host.name": traces.PlaceWorkstation, "host.hostname": traces.PlaceWorkstation, "source.domain": traces.PlaceWorkstation,
	"service.name": traces.PlaceApplication, "process.name": traces.PlaceApplication, "winlog.provider_name": traces.PlaceApplication,
	"organization.name": traces.PlaceSite, "file.path": traces.PlaceObject, "url.original": traces.PlaceObject,
	"log.level": traces.PlaceSeverity, "log.syslog.severity.code": traces.PlaceSeverity, "device.id": traces.PlaceDevice,
	"event.original": traces.PlaceIgnored, "ecs.version": traces.PlaceIgnored, "agent.ephemeral_id": traces.PlaceIgnored,

	// What programs commonly say.
	"timestamp": traces.PlaceAt, "time": traces.PlaceAt, "date": traces.PlaceAt, "datetime": traces.PlaceAt, "eventTime": traces.PlaceAt, "ts": traces.PlaceAt,
	"id": traces.PlaceKey, "uuid": traces.PlaceKey, "event_id": traces.PlaceKey,
	"user": traces.PlaceAccount, "username": traces.PlaceAccount, "login": traces.PlaceAccount, "user_name": traces.PlaceAccount,
	"role": traces.PlaceFunction, "profession": traces.PlaceFunction,
	"patient": traces.PlaceIPP, "patient_id": traces.PlaceIPP, "patientId": traces.PlaceIPP, "patient.id": traces.PlaceIPP, "patient.ipp": traces.PlaceIPP, "patient.ins": traces.PlaceINS,
	"patient.name": traces.PlacePatientName, "patientName": traces.PlacePatientName, "encounter": traces.PlaceStay, "encounter.id": traces.PlaceStay,
	"ip": traces.PlaceAddress, "client_ip": traces.PlaceAddress, "remote_addr": traces.PlaceAddress, "hostname": traces.PlaceWorkstation, "host": traces.PlaceWorkstation,
	"app": traces.PlaceApplication, "app_name": traces.PlaceApplication, "application_name": traces.PlaceApplication, "logger": traces.PlaceApplication,
	"result": traces.PlaceOutcome, "success": traces.PlaceOutcome, "level": traces.PlaceSeverity, "msg": traces.PlaceMessage, "reason": traces.PlacePurpose,
	"ward": traces.PlaceService, "department": traces.PlaceService,

	// The same in French.
	"horodatage": traces.PlaceAt, "date_heure": traces.PlaceAt, "identifiant": traces.PlaceKey, "utilisateur": traces.PlaceAccount, "compte": traces.PlaceAccount,
	"nom_utilisateur": traces.PlacePerson, "fonction": traces.PlaceFunction, "metier": traces.PlaceFunction, "action_libelle": traces.PlaceVerb,
	"nom_patient": traces.PlacePatientName, "sejour": traces.PlaceStay, "venue": traces.PlaceStay, "iep": traces.PlaceStay, "nda": traces.PlaceStay,
	"poste": traces.PlaceWorkstation, "adresse_ip": traces.PlaceAddress, "etablissement": traces.PlaceSite, "uf": traces.PlaceService, "service_uf": traces.PlaceService,
	"motif": traces.PlacePurpose, "resultat": traces.PlaceOutcome, "niveau": traces.PlaceSeverity, "libelle": traces.PlaceMessage, "objet": traces.PlaceObject,
}
