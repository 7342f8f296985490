package gst

// #include "ggo.h"
import "C"

// Flow is what a function on the data path answers (GstFlowReturn).
type Flow int32

// The flow returns. FlowDropped is for transforms in place: the buffer goes no further, and nothing is wrong.
const (
	FlowOK            Flow = C.GST_FLOW_OK
	FlowEOS           Flow = C.GST_FLOW_EOS
	FlowFlushing      Flow = C.GST_FLOW_FLUSHING
	FlowNotLinked     Flow = C.GST_FLOW_NOT_LINKED
	FlowNotNegotiated Flow = C.GST_FLOW_NOT_NEGOTIATED
	FlowError         Flow = C.GST_FLOW_ERROR
	FlowDropped       Flow = C.GST_FLOW_CUSTOM_SUCCESS
)

// String gives GStreamer's name.
func (f Flow) String() string { return gstring(C.gst_flow_get_name(C.GstFlowReturn(f))) }

// State of an element (GstState).
type State int32

// The states.
const (
	StateVoidPending State = C.GST_STATE_VOID_PENDING
	StateNull        State = C.GST_STATE_NULL
	StateReady       State = C.GST_STATE_READY
	StatePaused      State = C.GST_STATE_PAUSED
	StatePlaying     State = C.GST_STATE_PLAYING
)

// String gives GStreamer's name.
func (s State) String() string { return gstring(C.gst_element_state_get_name(C.GstState(s))) }

// StateChange is a transition between two neighbouring states (GstStateChange).
type StateChange int32

// The transitions.
const (
	NullToReady     StateChange = C.GST_STATE_CHANGE_NULL_TO_READY
	ReadyToPaused   StateChange = C.GST_STATE_CHANGE_READY_TO_PAUSED
	PausedToPlaying StateChange = C.GST_STATE_CHANGE_PAUSED_TO_PLAYING
	PlayingToPaused StateChange = C.GST_STATE_CHANGE_PLAYING_TO_PAUSED
	PausedToReady   StateChange = C.GST_STATE_CHANGE_PAUSED_TO_READY
	ReadyToNull     StateChange = C.GST_STATE_CHANGE_READY_TO_NULL
)

// StateChangeReturn is how a state change went (GstStateChangeReturn).
type StateChangeReturn int32

// The answers to a state change.
const (
	StateChangeFailure   StateChangeReturn = C.GST_STATE_CHANGE_FAILURE
	StateChangeSuccess   StateChangeReturn = C.GST_STATE_CHANGE_SUCCESS
	StateChangeAsync     StateChangeReturn = C.GST_STATE_CHANGE_ASYNC
	StateChangeNoPreroll StateChangeReturn = C.GST_STATE_CHANGE_NO_PREROLL
)

// PadDirection is the side of a pad.
type PadDirection int32

// The directions.
const (
	PadSrc  PadDirection = C.GST_PAD_SRC
	PadSink PadDirection = C.GST_PAD_SINK
)

// PadPresence says when a pad of a template exists.
type PadPresence int32

// The presences.
const (
	PadAlways    PadPresence = C.GST_PAD_ALWAYS
	PadSometimes PadPresence = C.GST_PAD_SOMETIMES
	PadRequest   PadPresence = C.GST_PAD_REQUEST
)

// ClockTimeNone is "no time" (GST_CLOCK_TIME_NONE); all other times are ns.
const ClockTimeNone = ^uint64(0)

// Buffer flags (GstBufferFlags).
const (
	BufferDiscont      uint32 = C.GST_BUFFER_FLAG_DISCONT
	BufferResync       uint32 = C.GST_BUFFER_FLAG_RESYNC
	BufferCorrupted    uint32 = C.GST_BUFFER_FLAG_CORRUPTED
	BufferMarker       uint32 = C.GST_BUFFER_FLAG_MARKER
	BufferHeader       uint32 = C.GST_BUFFER_FLAG_HEADER
	BufferGap          uint32 = C.GST_BUFFER_FLAG_GAP
	BufferDroppable    uint32 = C.GST_BUFFER_FLAG_DROPPABLE
	BufferDecodeOnly   uint32 = C.GST_BUFFER_FLAG_DECODE_ONLY
	BufferDeltaUnit    uint32 = C.GST_BUFFER_FLAG_DELTA_UNIT
	BufferNonDroppable uint32 = C.GST_BUFFER_FLAG_NON_DROPPABLE
)
