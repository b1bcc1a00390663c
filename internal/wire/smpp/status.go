package smpp

import "fmt"

// Status is a command_status (§5.1.3).
type Status uint32

// The statuses of the specification.
const (
	StatusOK                 Status = 0x00
	StatusInvalidMsgLength   Status = 0x01
	StatusInvalidCmdLength   Status = 0x02
	StatusInvalidCommand     Status = 0x03
	StatusInvalidBindStatus  Status = 0x04
	StatusAlreadyBound       Status = 0x05
	StatusInvalidPriority    Status = 0x06
	StatusInvalidRegDelivery Status = 0x07
	StatusSystemError        Status = 0x08
	StatusInvalidSource      Status = 0x0A
	StatusInvalidDestination Status = 0x0B
	StatusInvalidMessageID   Status = 0x0C
	StatusBindFailed         Status = 0x0D
	StatusInvalidPassword    Status = 0x0E
	StatusInvalidSystemID    Status = 0x0F
	StatusCancelFailed       Status = 0x11
	StatusReplaceFailed      Status = 0x13
	StatusQueueFull          Status = 0x14
	StatusInvalidServiceType Status = 0x15
	StatusInvalidNumDests    Status = 0x33
	StatusInvalidListName    Status = 0x34
	StatusInvalidDestFlag    Status = 0x40
	StatusInvalidSubmitRep   Status = 0x42
	StatusInvalidESMClass    Status = 0x43
	StatusCannotSubmitList   Status = 0x44
	StatusSubmitFailed       Status = 0x45
	StatusInvalidSourceTON   Status = 0x48
	StatusInvalidSourceNPI   Status = 0x49
	StatusInvalidDestTON     Status = 0x50
	StatusInvalidDestNPI     Status = 0x51
	StatusInvalidSystemType  Status = 0x53
	StatusInvalidReplaceFlag Status = 0x54
	StatusInvalidNumMsgs     Status = 0x55
	StatusThrottled          Status = 0x58
	StatusInvalidSchedule    Status = 0x61
	StatusInvalidExpiry      Status = 0x62
	StatusInvalidDefaultMsg  Status = 0x63
	StatusReceiverTemporary  Status = 0x64
	StatusReceiverPermanent  Status = 0x65
	StatusReceiverReject     Status = 0x66
	StatusQueryFailed        Status = 0x67
	StatusInvalidTLVStream   Status = 0xC0
	StatusTLVNotAllowed      Status = 0xC1
	StatusInvalidTLVLength   Status = 0xC2
	StatusMissingTLV         Status = 0xC3
	StatusInvalidTLVValue    Status = 0xC4
	StatusDeliveryFailure    Status = 0xFE
	StatusUnknownError       Status = 0xFF
)

// String gives the name of the specification and the number: operators' manuals
// use either.
func (s Status) String() string {
	if name := s.name(); name != "" {
		return fmt.Sprintf("%s (0x%02X)", name, uint32(s))
	}
	return fmt.Sprintf("status 0x%08X", uint32(s))
}

func (s Status) name() string {
	switch {
	case s <= StatusInvalidServiceType:
		return s.sessionName()
	case s < StatusThrottled:
		return s.submitName()
	}
	return s.lateName()
}

func (s Status) sessionName() string {
	switch s {
	case StatusOK:
		return "ESME_ROK"
	case StatusInvalidMsgLength:
		return "ESME_RINVMSGLEN"
	case StatusInvalidCmdLength:
		return "ESME_RINVCMDLEN"
	case StatusInvalidCommand:
		return "ESME_RINVCMDID"
	case StatusInvalidBindStatus:
		return "ESME_RINVBNDSTS"
	case StatusAlreadyBound:
		return "ESME_RALYBND"
	case StatusInvalidPriority:
		return "ESME_RINVPRTFLG"
	case StatusInvalidRegDelivery:
		return "ESME_RINVREGDLVFLG"
	case StatusSystemError:
		return "ESME_RSYSERR"
	case StatusInvalidSource:
		return "ESME_RINVSRCADR"
	case StatusInvalidDestination:
		return "ESME_RINVDSTADR"
	case StatusInvalidMessageID:
		return "ESME_RINVMSGID"
	case StatusBindFailed:
		return "ESME_RBINDFAIL"
	case StatusInvalidPassword:
		return "ESME_RINVPASWD"
	case StatusInvalidSystemID:
		return "ESME_RINVSYSID"
	case StatusCancelFailed:
		return "ESME_RCANCELFAIL"
	case StatusReplaceFailed:
		return "ESME_RREPLACEFAIL"
	case StatusQueueFull:
		return "ESME_RMSGQFUL"
	case StatusInvalidServiceType:
		return "ESME_RINVSERTYP"
	}
	return ""
}

func (s Status) submitName() string {
	switch s {
	case StatusInvalidNumDests:
		return "ESME_RINVNUMDESTS"
	case StatusInvalidListName:
		return "ESME_RINVDLNAME"
	case StatusInvalidDestFlag:
		return "ESME_RINVDESTFLAG"
	case StatusInvalidSubmitRep:
		return "ESME_RINVSUBREP"
	case StatusInvalidESMClass:
		return "ESME_RINVESMCLASS"
	case StatusCannotSubmitList:
		return "ESME_RCNTSUBDL"
	case StatusSubmitFailed:
		return "ESME_RSUBMITFAIL"
	case StatusInvalidSourceTON:
		return "ESME_RINVSRCTON"
	case StatusInvalidSourceNPI:
		return "ESME_RINVSRCNPI"
	case StatusInvalidDestTON:
		return "ESME_RINVDSTTON"
	case StatusInvalidDestNPI:
		return "ESME_RINVDSTNPI"
	case StatusInvalidSystemType:
		return "ESME_RINVSYSTYP"
	case StatusInvalidReplaceFlag:
		return "ESME_RINVREPFLAG"
	case StatusInvalidNumMsgs:
		return "ESME_RINVNUMMSGS"
	}
	return ""
}

func (s Status) lateName() string {
	switch s {
	case StatusThrottled:
		return "ESME_RTHROTTLED"
	case StatusInvalidSchedule:
		return "ESME_RINVSCHED"
	case StatusInvalidExpiry:
		return "ESME_RINVEXPIRY"
	case StatusInvalidDefaultMsg:
		return "ESME_RINVDFTMSGID"
	case StatusReceiverTemporary:
		return "ESME_RX_T_APPN"
	case StatusReceiverPermanent:
		return "ESME_RX_P_APPN"
	case StatusReceiverReject:
		return "ESME_RX_R_APPN"
	case StatusQueryFailed:
		return "ESME_RQUERYFAIL"
	case StatusInvalidTLVStream:
		return "ESME_RINVOPTPARSTREAM"
	case StatusTLVNotAllowed:
		return "ESME_ROPTPARNOTALLWD"
	case StatusInvalidTLVLength:
		return "ESME_RINVPARLEN"
	case StatusMissingTLV:
		return "ESME_RMISSINGOPTPARAM"
	case StatusInvalidTLVValue:
		return "ESME_RINVOPTPARAMVAL"
	case StatusDeliveryFailure:
		return "ESME_RDELIVERYFAILURE"
	case StatusUnknownError:
		return "ESME_RUNKNOWNERR"
	}
	return ""
}
