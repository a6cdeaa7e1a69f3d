// Adders of Multipede's cells styles. Simulated as they stand; for standard cells each bit of
// full_adders and ripple_adder becomes one full-adder cell, of half_adders one half-adder cell.

// WIDTH separate full adders: 2 * carry + sum = a + b + c in every bit.
module full_adders #(parameter WIDTH = 1) (
  input  [WIDTH-1:0] a, b, c,
  output [WIDTH-1:0] sum, carry
);
  wire [WIDTH-1:0] half = a ^ b;
  assign sum = half ^ c;
  assign carry = (a & b) | (c & half);
endmodule

// WIDTH separate half adders: 2 * carry + sum = a + b in every bit.
module half_adders #(parameter WIDTH = 1) (
  input  [WIDTH-1:0] a, b,
  output [WIDTH-1:0] sum, carry
);
  assign sum = a ^ b;
  assign carry = a & b;
endmodule

// WIDTH separate adders of two bits and a constant: 2 * carry + sum = a + b + 1 in every bit.
module half_adders_plus_one #(parameter WIDTH = 1) (
  input  [WIDTH-1:0] a, b,
  output [WIDTH-1:0] sum, carry
);
  assign sum = ~(a ^ b);
  assign carry = a | b;
endmodule

// A chain of WIDTH full adders: {co, sum} = a + b + ci.
module ripple_adder #(parameter WIDTH = 1) (
  input  [WIDTH-1:0] a, b,
  input              ci,
  output [WIDTH-1:0] sum,
  output             co
);
  assign {co, sum} = {1'b0, a} + {1'b0, b} + {{WIDTH{1'b0}}, ci};
endmodule

// A chain of WIDTH half adders: {co, sum} = a + ci.
module ripple_half_adder #(parameter WIDTH = 1) (
  input  [WIDTH-1:0] a,
  input              ci,
  output [WIDTH-1:0] sum,
  output             co
);
  assign {co, sum} = {1'b0, a} + {{WIDTH{1'b0}}, ci};
endmodule

// A chain of WIDTH half adders with a constant one in each column: {co, sum} = a + ~0 + ci.
module ripple_half_adder_plus_one #(parameter WIDTH = 1) (
  input  [WIDTH-1:0] a,
  input              ci,
  output [WIDTH-1:0] sum,
  output             co
);
  assign {co, sum} = {1'b0, a} + {1'b0, {WIDTH{1'b1}}} + {{WIDTH{1'b0}}, ci};
endmodule

// A parallel-prefix adder (Sklansky): sum = a + b modulo 2^WIDTH.
module prefix_adder #(parameter WIDTH = 1) (
  input  [WIDTH-1:0] a, b,
  output [WIDTH-1:0] sum
);
  localparam LEVELS = $clog2(WIDTH);
  genvar level, column;
  generate
    for (level = 0; level <= LEVELS; level = level + 1) begin : prefix
      wire [WIDTH-1:0] g, p;  // generate and propagate over 2^level columns
      if (level == 0) begin : bits
        assign g = a & b;
        assign p = a ^ b;
      end else begin : merge
        localparam BLOCK = 1 << (level - 1);
        wire [WIDTH-1:0] g_below, p_below;  // of the block below, in every column of a block
        for (column = 0; column < WIDTH; column = column + BLOCK) begin : blocks
          localparam SIZE = column + BLOCK > WIDTH ? WIDTH - column : BLOCK;
          if ((column / BLOCK) % 2 == 1) begin : odd
            assign g_below[column +: SIZE] = {SIZE{prefix[level-1].g[column-1]}};
            assign p_below[column +: SIZE] = {SIZE{prefix[level-1].p[column-1]}};
          end else begin : even
            assign g_below[column +: SIZE] = {SIZE{1'b0}};
            assign p_below[column +: SIZE] = {SIZE{1'b1}};
          end
        end
        assign g = prefix[level-1].g | (prefix[level-1].p & g_below);
        assign p = prefix[level-1].p & p_below;
      end
    end
    if (WIDTH == 1) begin : single
      assign sum = a ^ b;
    end else begin : wide
      assign sum = a ^ b ^ {prefix[LEVELS].g[WIDTH-2:0], 1'b0};
    end
  endgenerate
endmodule
