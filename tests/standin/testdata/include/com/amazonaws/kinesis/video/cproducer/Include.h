/* What cgo/kvsproducer uses of the interface of AWS's producer SDK: names, types and values as its documentation and its headers give them, written
 * anew for the stand-in beside it. Only the order of fields that no caller sees differs; programs built with this header run with the stand-in only. */
#ifndef KVS_STANDIN_INCLUDE_H
#define KVS_STANDIN_INCLUDE_H

#include <stdint.h>

typedef void VOID;
typedef char CHAR, *PCHAR;
typedef uint8_t BYTE, *PBYTE, UINT8;
typedef uint16_t UINT16;
typedef int32_t BOOL;
typedef uint32_t UINT32, STATUS, *PUINT32;
typedef uint64_t UINT64, *PUINT64;
typedef double DOUBLE;
typedef UINT64 CLIENT_HANDLE, *PCLIENT_HANDLE, STREAM_HANDLE, *PSTREAM_HANDLE, UPLOAD_HANDLE;

#define TRUE 1
#define FALSE 0
#define MAX_UINT64 UINT64_MAX
#define INVALID_CLIENT_HANDLE_VALUE ((CLIENT_HANDLE)0)
#define INVALID_STREAM_HANDLE_VALUE ((STREAM_HANDLE)0)

#define STATUS_SUCCESS 0x00000000
#define STATUS_NULL_ARG 0x00000001
#define STATUS_INVALID_ARG 0x00000002
#define STATUS_NOT_ENOUGH_MEMORY 0x00000004
#define STATUS_OPERATION_TIMED_OUT 0x0000000f
#define STATUS_MKV_INVALID_FRAME_DATA 0x32000001
#define STATUS_MKV_INVALID_FRAME_TIMESTAMP 0x32000002
#define STATUS_MKV_TRACK_INFO_NOT_FOUND 0x32000026
#define STATUS_INVALID_STORAGE_SIZE 0x5200000a
#define STATUS_SERVICE_CALL_NOT_AUTHORIZED_ERROR 0x52000010
#define STATUS_STORE_OUT_OF_MEMORY 0x5200002e
#define STATUS_STREAM_HAS_BEEN_STOPPED 0x52000052
#define STATUS_ACK_ERR_FRAGMENT_ARCHIVAL_ERROR 0x5200006e
#define STATUS_INVALID_METADATA_NAME 0x52000077
#define STATUS_END_OF_FRAGMENT_FRAME_INVALID_STATE 0x52000078
#define STATUS_STREAM_NOT_STARTED 0x5200008c

#define LOG_LEVEL_WARN 4
#define LOG_LEVEL_SILENT 7

#define MAX_STREAM_NAME_LEN 256
#define MAX_ARN_LEN 2048
#define MAX_CONTENT_TYPE_LEN 128
#define MAX_FRAGMENT_SEQUENCE_NUMBER 128
#define MAX_EVENT_CUSTOM_PAIRS 10
#define MKV_MAX_CODEC_ID_LEN 32
#define MKV_MAX_TRACK_NAME_LEN 32

#define TAG_CURRENT_VERSION 0
#define TRACK_INFO_CURRENT_VERSION 0
#define FRAME_CURRENT_VERSION 0
#define STREAM_INFO_CURRENT_VERSION 3
#define STREAM_CALLBACKS_CURRENT_VERSION 0
#define PRODUCER_CALLBACKS_CURRENT_VERSION 0
#define PLATFORM_CALLBACKS_CURRENT_VERSION 0
#define STREAM_METRICS_CURRENT_VERSION 3
#define CLIENT_METRICS_CURRENT_VERSION 2
#define STREAM_EVENT_METADATA_CURRENT_VERSION 0

typedef enum { STREAMING_TYPE_REALTIME, STREAMING_TYPE_NEAR_REALTIME, STREAMING_TYPE_OFFLINE } STREAMING_TYPE;
typedef enum { NAL_ADAPTATION_FLAG_NONE = 0 } NAL_ADAPTATION_FLAGS;
typedef enum {
  FRAME_ORDER_MODE_PASS_THROUGH = 0,
  FRAME_ORDERING_MODE_MULTI_TRACK_AV_COMPARE_PTS_ONE_MS_COMPENSATE_EOFR = 5
} FRAME_ORDER_MODE;
typedef enum { CONTENT_STORE_PRESSURE_POLICY_OOM, CONTENT_STORE_PRESSURE_POLICY_DROP_TAIL_ITEM } CONTENT_STORE_PRESSURE_POLICY;
typedef enum { CONTENT_VIEW_OVERFLOW_POLICY_DROP_TAIL_VIEW_ITEM, CONTENT_VIEW_OVERFLOW_POLICY_DROP_UNTIL_FRAGMENT_START } CONTENT_VIEW_OVERFLOW_POLICY;
typedef enum { AUTOMATIC_STREAMING_INTERMITTENT_PRODUCER = 0, AUTOMATIC_STREAMING_ALWAYS_CONTINUOUS = 256 } AUTOMATIC_STREAMING_FLAGS;
typedef enum { MKV_TRACK_INFO_TYPE_VIDEO = 1, MKV_TRACK_INFO_TYPE_AUDIO = 2 } MKV_TRACK_INFO_TYPE;
typedef enum { FRAME_FLAG_NONE = 0, FRAME_FLAG_KEY_FRAME = 1, FRAME_FLAG_END_OF_FRAGMENT = 8 } FRAME_FLAGS;
typedef enum {
  FRAGMENT_ACK_TYPE_UNDEFINED,
  FRAGMENT_ACK_TYPE_BUFFERING,
  FRAGMENT_ACK_TYPE_RECEIVED,
  FRAGMENT_ACK_TYPE_PERSISTED,
  FRAGMENT_ACK_TYPE_ERROR,
  FRAGMENT_ACK_TYPE_IDLE
} FRAGMENT_ACK_TYPE;
typedef enum { SERVICE_CALL_RESULT_OK = 200, SERVICE_CALL_RESULT_FRAGMENT_ARCHIVAL_ERROR = 5001 } SERVICE_CALL_RESULT;

typedef struct { UINT32 version; PCHAR name, value; } Tag, *PTag;
typedef struct { DOUBLE samplingFrequency; UINT16 channelConfig, bitDepth; } TrackAudioConfig;
typedef struct { UINT16 videoWidth, videoHeight; } TrackVideoConfig;
typedef struct {
  UINT32 version;
  UINT64 trackId;
  CHAR codecId[MKV_MAX_CODEC_ID_LEN + 1], trackName[MKV_MAX_TRACK_NAME_LEN + 1];
  UINT32 codecPrivateDataSize;
  PBYTE codecPrivateData;
  MKV_TRACK_INFO_TYPE trackType;
  union { TrackAudioConfig trackAudioConfig; TrackVideoConfig trackVideoConfig; } trackCustomData;
} TrackInfo, *PTrackInfo;

typedef struct {
  STREAMING_TYPE streamingType;
  CHAR contentType[MAX_CONTENT_TYPE_LEN + 1];
  BOOL adaptive, keyFrameFragmentation, frameTimecodes, absoluteFragmentTimes, fragmentAcks, recoverOnError, recalculateMetrics, allowStreamCreation;
  UINT64 maxLatency, fragmentDuration, bufferDuration, replayDuration, connectionStalenessDuration, timecodeScale;
  UINT32 nalAdaptationFlags, avgBandwidthBps, frameRate, trackInfoCount;
  PTrackInfo trackInfoList;
  FRAME_ORDER_MODE frameOrderingMode;
  CONTENT_STORE_PRESSURE_POLICY storePressurePolicy;
  CONTENT_VIEW_OVERFLOW_POLICY viewOverflowPolicy;
} StreamCaps;
typedef struct {
  UINT32 version, tagCount;
  CHAR name[MAX_STREAM_NAME_LEN + 1], kmsKeyId[MAX_ARN_LEN + 1];
  PTag tags;
  UINT64 retention;
  StreamCaps streamCaps;
} StreamInfo, *PStreamInfo;

typedef struct {
  UINT64 createClientTimeout, createStreamTimeout, stopStreamTimeout;
  UINT32 loggerLogLevel;
  AUTOMATIC_STREAMING_FLAGS automaticStreamingFlags;
} ClientInfo;
typedef struct { UINT64 storageSize; } StorageInfo;
typedef struct { StorageInfo storageInfo; ClientInfo clientInfo; } DeviceInfo, *PDeviceInfo;

typedef struct {
  UINT32 version, index;
  FRAME_FLAGS flags;
  UINT64 decodingTs, presentationTs, duration;
  UINT32 size;
  PBYTE frameData;
  UINT64 trackId;
} Frame, *PFrame;

typedef struct {
  UINT32 version;
  FRAGMENT_ACK_TYPE ackType;
  UINT64 timestamp;
  CHAR sequenceNumber[MAX_FRAGMENT_SEQUENCE_NUMBER + 1];
  SERVICE_CALL_RESULT result;
} FragmentAck, *PFragmentAck;

typedef struct {
  UINT32 version;
  PCHAR imagePrefix;
  UINT8 numberOfPairs;
  PCHAR names[MAX_EVENT_CUSTOM_PAIRS], values[MAX_EVENT_CUSTOM_PAIRS];
} StreamEventMetadata, *PStreamEventMetadata;

typedef struct { UINT32 version; UINT64 contentStoreSize, contentStoreAvailableSize, contentStoreAllocatedSize; } ClientMetrics, *PClientMetrics;
typedef struct {
  UINT32 version;
  UINT64 currentViewDuration, overallViewDuration, currentViewSize, overallViewSize, currentTransferRate, uptime, transferredBytes, totalSessions,
      totalActiveSessions, bufferedAcks, receivedAcks, persistedAcks, errorAcks, droppedFrames, droppedFragments, skippedFrames, storagePressures,
      latencyPressures, bufferPressures, staleEvents, putFrameErrors;
  DOUBLE currentFrameRate;
} StreamMetrics, *PStreamMetrics;

typedef struct {
  UINT32 version;
  UINT64 customData;
  STATUS (*bufferDurationOverflowPressureFn)(UINT64, STREAM_HANDLE, UINT64);
  STATUS (*streamLatencyPressureFn)(UINT64, STREAM_HANDLE, UINT64);
  STATUS (*streamConnectionStaleFn)(UINT64, STREAM_HANDLE, UINT64);
  STATUS (*droppedFrameReportFn)(UINT64, STREAM_HANDLE, UINT64);
  STATUS (*droppedFragmentReportFn)(UINT64, STREAM_HANDLE, UINT64);
  STATUS (*streamErrorReportFn)(UINT64, STREAM_HANDLE, UPLOAD_HANDLE, UINT64, STATUS);
  STATUS (*fragmentAckReceivedFn)(UINT64, STREAM_HANDLE, UPLOAD_HANDLE, PFragmentAck);
  STATUS (*streamReadyFn)(UINT64, STREAM_HANDLE);
  STATUS (*streamClosedFn)(UINT64, STREAM_HANDLE, UPLOAD_HANDLE);
} StreamCallbacks, *PStreamCallbacks;
typedef struct { UINT32 version; UINT64 customData; STATUS (*storageOverflowPressureFn)(UINT64, UINT64); } ProducerCallbacks, *PProducerCallbacks;
typedef struct { UINT32 version; VOID (*logPrintFn)(UINT32, const PCHAR, const PCHAR, ...); } PlatformCallbacks, *PPlatformCallbacks;
typedef struct ClientCallbacks ClientCallbacks, *PClientCallbacks;

STATUS createDefaultCallbacksProviderWithAwsCredentialsAndEndpointOverride(PCHAR access, PCHAR secret, PCHAR token, UINT64 expiration, PCHAR region,
                                                                          PCHAR ca, PCHAR postfix, PCHAR agent, PCHAR endpoint, PClientCallbacks *);
STATUS freeCallbacksProvider(PClientCallbacks *);
STATUS setPlatformCallbacks(PClientCallbacks, PPlatformCallbacks);
STATUS addProducerCallbacks(PClientCallbacks, PProducerCallbacks);
STATUS addStreamCallbacks(PClientCallbacks, PStreamCallbacks);
STATUS createDefaultDeviceInfo(PDeviceInfo *);
STATUS setDeviceInfoStorageSize(PDeviceInfo, UINT64);
STATUS freeDeviceInfo(PDeviceInfo *);
STATUS createKinesisVideoClientSync(PDeviceInfo, PClientCallbacks, PCLIENT_HANDLE);
STATUS freeKinesisVideoClient(PCLIENT_HANDLE);
STATUS createKinesisVideoStreamSync(CLIENT_HANDLE, PStreamInfo, PSTREAM_HANDLE);
STATUS stopKinesisVideoStreamSync(STREAM_HANDLE);
STATUS freeKinesisVideoStream(PSTREAM_HANDLE);
STATUS putKinesisVideoFrame(STREAM_HANDLE, PFrame);
STATUS putKinesisVideoFragmentMetadata(STREAM_HANDLE, PCHAR, PCHAR, BOOL);
STATUS putKinesisVideoEventMetadata(STREAM_HANDLE, UINT32, PStreamEventMetadata);
STATUS kinesisVideoStreamFormatChanged(STREAM_HANDLE, UINT32, PBYTE, UINT64);
STATUS getKinesisVideoMetrics(CLIENT_HANDLE, PClientMetrics);
STATUS getKinesisVideoStreamMetrics(STREAM_HANDLE, PStreamMetrics);

#endif
