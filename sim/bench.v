// Self-checking bench of @NAME@ with golden vectors of the reference model.
// Run in the directory of these files, with Verilator 5.036 or newer,
//
//   $ verilator --binary --timing -Wno-fatal --top-module @NAME@_tb @FILES@
//   $ obj_dir/V@NAME@_tb
//
// (the Verilator that Multipede installed: eval "$(multipede doctor --shell)" first)
// or with Icarus Verilog 11 or newer:
//
//   $ iverilog -g2005 -s @NAME@_tb -o @NAME@_tb.vvp @FILES@
//   $ vvp @NAME@_tb.vvp
//
// It prints one line that begins with PASS or FAIL. After FAIL it calls $fatal, so that the
// simulator's exit status is not 0; simulators without $fatal: define NO_FATAL for $stop.
//
// First some records are broken off by a reset, then all of them go through from reset: stretches
// without a pause and stretches with pauses, in which the payload is random@STALLING@.
// specification: @FINGERPRINT@
// style: @STYLE@, seed: @SEED@
// Made by Multipede; do not edit.

module @NAME@_tb;
  localparam RECORDS = @RECORDS@;
  localparam RESULTS = @RESULTS@;
  localparam INPUT_BITS = @INPUT_BITS@;
  localparam OUTPUT_BITS = @OUTPUT_BITS@;
  localparam LATENCY = @LATENCY@;
  localparam LATENCY_IS_FIXED = @LATENCY_IS_FIXED@;
  localparam STALLS = @STALLS@;
  localparam PATIENCE = @PATIENCE@;  // clocks without any progress until the end
  localparam BROKEN_OFF = RECORDS < 11 ? RECORDS : 11;
  localparam NOISE_WORDS = (INPUT_BITS + 31) / 32;

  reg clk;
  reg rst;
  reg i_valid;
  reg [INPUT_BITS-1:0] i_payload;
  wire i_ready;
  wire o_valid;
  wire [OUTPUT_BITS-1:0] o_payload;
  reg o_ready;
@READY@
  @NAME@ dut (
@PINS@
  );

  integer inputs, outputs;  // the files
  integer found;
  integer clocks, idle, sent, got;
  integer accepted [0:RECORDS-1];  // the clock in which each record was taken
  integer result_record;
  reg [INPUT_BITS-1:0] record;
  reg [OUTPUT_BITS-1:0] expected;
  reg [OUTPUT_BITS-1:0] stalled_payload;
  reg stalled, pending, checking, named, failed;
  reg [31:0] lfsr;
  reg [32*NOISE_WORDS+31:0] noise;
  integer element, counted;

  // Galois, x^32 + x^22 + x^2 + x + 1: one step gives one new bit, so take many.
  task advance;
    integer step;
    begin
      for (step = 0; step < 32; step = step + 1)
        lfsr = {1'b0, lfsr[31:1]} ^ (lfsr[0] ? 32'h80200003 : 32'h0);
      noise = {noise[32*NOISE_WORDS-1:0], lfsr};
    end
  endtask

  task stop_failed;
    begin
      failed = 1'b1;
`ifdef NO_FATAL
      $stop;
`else
      $fatal(1);
`endif
      $finish(0);  // where a failure does not end the run
    end
  endtask

  task open_files;
    begin
      inputs = $fopen("@NAME@_inputs.hex", "r");
      outputs = $fopen("@NAME@_outputs.hex", "r");
      if (inputs == 0 || outputs == 0) begin
        $display("FAIL @NAME@_%0s.hex cannot be read", inputs == 0 ? "inputs" : "outputs");
        stop_failed;
      end
    end
  endtask

  task read_record;
    begin
      found = $fscanf(inputs, "%h", record);
      if (found != 1 || ^record === 1'bx) begin
        $display("FAIL @NAME@_inputs.hex is damaged at record %0d of %0d", sent, RECORDS);
        stop_failed;
      end
    end
  endtask

  task read_result;
    begin
      found = $fscanf(outputs, "%h %h", result_record, expected);
      if (found != 2 || ^expected === 1'bx || !(result_record >= 0 && result_record < RECORDS)) begin
        $display("FAIL @NAME@_outputs.hex is damaged at result %0d of %0d", got, RESULTS);
        stop_failed;
      end
    end
  endtask

  // The last line of a file counts the others: without it, some are missing.
  task close_files;
    begin
      counted = -1;
      found = $fscanf(inputs, "%h", counted);
      if (found != 1 || counted != RECORDS) begin
        $display("FAIL @NAME@_inputs.hex is truncated");
        stop_failed;
      end
      counted = -1;
      found = $fscanf(outputs, "%h", counted);
      if (!failed && (found != 1 || counted != RESULTS)) begin
        $display("FAIL @NAME@_outputs.hex is truncated");
        stop_failed;
      end
      $fclose(inputs);
      $fclose(outputs);
    end
  endtask

  // Half a clock with the new inputs; then everything has settled and the clock rises.
  task drive;
    begin
      clk = 1'b0;
      advance;
      i_valid = pending && !(sent[5] && lfsr[0]);
      if (pending) i_payload = i_valid ? record : noise[INPUT_BITS-1:0];
      o_ready = !STALLS || (sent[6] ? lfsr[1] : 1'b1);
      #5;
    end
  endtask

  task reset;
    begin
      rst = 1'b1;
      pending = 1'b0;
      stalled = 1'b0;
      repeat (3) begin
        drive;
        i_valid = 1'b1;  // what is offered during reset must leave no trace
        i_payload = noise[INPUT_BITS-1:0];
        #5;
        clk = 1'b1;
        #5;
      end
      rst = 1'b0;
    end
  endtask

  // A record was offered and taken.
  task check_input;
    begin
      if (i_ready !== 1'b0 && i_ready !== 1'b1) begin
        $display("FAIL record %0d: i_ready is %b", sent, i_ready);
        stop_failed;
      end else if (i_valid && i_ready) begin
        accepted[sent] = clocks;
        sent = sent + 1;
        idle = 0;
        pending = sent < (checking ? RECORDS : BROKEN_OFF);
        if (pending) read_record;
      end
    end
  endtask

  task check_output;
    begin
      if (o_valid !== 1'b0 && o_valid !== 1'b1) begin
        $display("FAIL record %0d: o_valid is %b", sent, o_valid);
        stop_failed;
      end else if (checking && stalled && (!o_valid || o_payload !== stalled_payload)) begin
        $display("FAIL result %0d: it changed while o_ready was 0", got);
        stop_failed;
      end else if (checking && o_valid && o_ready) begin
        idle = 0;
        check_result;
      end
      stalled = o_valid && !o_ready;
      stalled_payload = o_payload;
    end
  endtask

  task check_result;
    begin
      if (got == RESULTS) begin
        $display("FAIL result %0d: expected no more than %0d, got %h", got, RESULTS, o_payload);
        stop_failed;
      end else begin
        read_result;
        if (failed) begin
        end else if (result_record >= sent) begin
          $display("FAIL record %0d, result %0d: expected behind its record, got before it",
                   result_record, got);
          stop_failed;
        end else if (LATENCY_IS_FIXED && clocks - accepted[result_record] != LATENCY) begin
          $display("FAIL record %0d, result %0d: expected after %0d clocks, got after %0d",
                   result_record, got, LATENCY, clocks - accepted[result_record]);
          stop_failed;
        end else if (o_payload !== expected) begin
          named = 1'b0;
          $write("FAIL record %0d, result %0d: ", result_record, got);
@COMPARISONS@
          $write("\n");
          stop_failed;
        end
        got = got + 1;
      end
    end
  endtask

  task finish;
    begin
      if (sent < RECORDS) begin
        $display("FAIL record %0d: expected to be taken, got none for %0d clocks", sent, idle);
        stop_failed;
      end else if (got < RESULTS) begin
        read_result;
        $display("FAIL record %0d, result %0d: expected %h, got none for %0d clocks",
                 result_record, got, expected, idle);
        stop_failed;
      end else begin
        close_files;
        if (!failed) $display("PASS %0d records, %0d results", sent, got);
        $finish(0);
      end
    end
  endtask

  task stream;
    begin
      sent = 0;
      got = 0;
      idle = 0;
      stalled = 1'b0;
      pending = 1'b1;
      read_record;
      while (!failed && idle < PATIENCE && (checking || pending)) begin
        idle = idle + 1;
        drive;
        check_input;
        if (!failed) check_output;
        clk = 1'b1;
        clocks = clocks + 1;
        #5;
      end
    end
  endtask

  initial begin
    clk = 1'b0;
    clocks = 0;
    failed = 1'b0;
    checking = 1'b0;
    lfsr = 32'h@LFSR@;
    noise = {NOISE_WORDS + 1{32'h0}};
    sent = 0;
    reset;
    open_files;
    if (!failed) stream;
    $fclose(inputs);
    $fclose(outputs);
    checking = 1'b1;
    reset;
    if (!failed) open_files;
    if (!failed) stream;
    if (!failed) finish;
  end
endmodule
