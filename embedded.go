package main

// What a machine or a container may not have, and which is used only there: the
// certificates of public authorities, for checks of https://, and the time
// zones, for healer.maintenance.
import (
	_ "time/tzdata"

	_ "golang.org/x/crypto/x509roots/fallback"
)
