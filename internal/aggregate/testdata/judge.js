// The judge: aws-kinesis-agg, by AWS. Reads one job a line from stdin and answers each with a line of JSON.
//   {"op":"open","data":base64}                        -> {"records":[{key,hash,data,index}], "error":text}
//   {"op":"make","records":[{key,hash,data:base64}]}   -> {"data":base64,"key":text,"hash":text}
'use strict';
const agg = require(process.argv[2]);

function open(job) {
  const answer = { records: [] };
  // The third argument of a failing record is called with an error: nothing may be swallowed.
  agg.deaggregateSync({ data: job.data, partitionKey: 'outer', sequenceNumber: '1' }, true, (err, records) => {
    if (err) {
      answer.error = String(err);
      return;
    }
    answer.records = records.map((r) => ({ key: r.partitionKey, hash: r.explicitPartitionKey, data: r.data, index: r.subSequenceNumber }));
  });
  return answer;
}

function make(job) {
  const aggregator = new agg.RecordAggregator();
  for (const r of job.records) {
    const record = { partitionKey: r.key, data: Buffer.from(r.data || '', 'base64') };
    if (r.hash) {
      record.explicitHashKey = r.hash;
    }
    aggregator.addUserRecord(record);
  }
  const made = aggregator.build();
  return { data: made.data.toString('base64'), key: made.partitionKey, hash: made.ExplicitHashKey };
}

for (const line of require('fs').readFileSync(0, 'utf8').split('\n')) {
  if (line !== '') {
    const job = JSON.parse(line);
    process.stdout.write(JSON.stringify(job.op === 'open' ? open(job) : make(job)) + '\n');
  }
}
