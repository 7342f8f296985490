package codec

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestH264Access(t *testing.T) {
	t.Parallel()
	const (
		delimiter = "0000000109f0"
		idr       = "000001658884"
		i         = "0000014188"                                // first_mb 0, slice_type 7: all slices I
		p         = "000001419a"                                // slice_type 5
		lateI     = "000001414c"                                // first_mb 1, slice_type 2
		recovery  = "0000010606" + "01c480"                     // recovery_frame_cnt 0
		gradual   = "0000010606" + "014480"                     // 1
		other     = "00000106" + "0503aabbcc" + "0601c4" + "80" // user data, then a recovery point
		endless   = "00000106ffffffff"
	)
	for name, c := range map[string]struct {
		au   string
		want Access
	}{
		"IDR":                   {delimiter + idr, IDR},
		"P":                     {delimiter + p, Delta},
		"I":                     {delimiter + i, Intra},
		"I and P slices":        {i + p, Delta},
		"two I slices":          {i + lateI, Intra},
		"recovery point":        {recovery + i, Recovery},
		"recovery in fields":    {recovery + i + p, Recovery},
		"rolling refresh":       {gradual + p, Gradual},
		"rolling refresh, I":    {gradual + i, Intra},
		"a later message":       {other + i, Recovery},
		"a message without end": {endless + i, Intra},
		"no slices":             {delimiter + recovery, Delta},
		"no access unit":        {"ff", Delta},
		"a slice that is cut":   {"00000141", Delta},
		"unknown units before":  {"0000011eaa" + idr, IDR},
		"an empty unit before":  {"000001" + idr, IDR},
		"recovery, IDR":         {recovery + idr, IDR},
	} {
		require.Equal(t, c.want, H264Access(AnnexB(unhex(c.au))), name)
		require.Equal(t, c.want >= Recovery, c.want.Key())
	}
	require.Equal(t, Delta, H264Access(Prefixed(unhex("00000009658884"), 4)))
	require.Equal(t, IDR, H264Access(Prefixed(unhex("0000"+"0003658884"), 2)))
}

func TestH265Access(t *testing.T) {
	t.Parallel()
	for kind := range 64 {
		want := Delta
		switch {
		case kind == 21:
			want = Recovery
		case kind >= 16 && kind <= 23:
			want = IDR
		}
		require.Equal(t, want, H265Access(AnnexB([]byte{0, 0, 0, 1, 35 << 1, 1, 0x50, 0, 0, 1, byte(kind << 1), 1, 0xAF})), "%d", kind)
		require.Equal(t, want, H265Access(Prefixed([]byte{2, 35 << 1, 1, 3, byte(kind << 1), 1, 0xAF}, 1)), "%d", kind)
	}
}
