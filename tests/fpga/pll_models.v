// Cells of boards' designs as far as the designs use them. PLLs make their clock from the period that
// they measure at their reference and from their dividers, and say that they are locked after a
// while; whatever is wrong with a parameter or a pin, there is no clock.

`timescale 1ps / 1ps

module pll_model #(parameter integer MULTIPLY = 1, parameter integer DIVIDE = 1)
  (input reference, input running, output reg clock = 0, output reg locked = 0);
  time last = 0, period = 0;
  integer edges = 0;
  always @(posedge reference) begin
    period = $time - last;
    last = $time;
    edges = edges + 1;
    if (edges > 40) locked = running;
  end
  // The clock is there before it is steady.
  always begin
    if (period == 0 || !running) @(posedge reference);
    else #(period * DIVIDE / MULTIPLY / 2) clock = ~clock;
  end
endmodule

module EHXPLLL (input CLKI, CLKFB, RST, STDBY, PHASESEL0, PHASESEL1, PHASEDIR, PHASESTEP,
                PHASELOADREG, PLLWAKESYNC, ENCLKOP, ENCLKOS, output CLKOP, CLKOS, LOCK);
  parameter integer CLKI_DIV = 0, CLKFB_DIV = 0, CLKOP_DIV = 0, CLKOP_CPHASE = 0;
  parameter integer CLKOS_DIV = 0, CLKOS_CPHASE = 0;
  parameter CLKOP_ENABLE = "", CLKOS_ENABLE = "", FEEDBK_PATH = "";
  wire sound = CLKOP_ENABLE == "ENABLED" && CLKOS_ENABLE == "ENABLED" && FEEDBK_PATH == "CLKOP"
    && CLKOP_CPHASE == CLKOP_DIV - 1 && CLKOS_CPHASE == CLKOS_DIV - 1
    && CLKFB === CLKOP && !RST && !STDBY;
  wire locked;
  pll_model #(CLKFB_DIV, CLKI_DIV) feedback (CLKI, sound, CLKOP, locked);
  pll_model #(CLKFB_DIV * CLKOP_DIV, CLKI_DIV * CLKOS_DIV) pll (CLKI, sound, CLKOS, LOCK);
endmodule

module SB_PLL40_CORE (input REFERENCECLK, RESETB, BYPASS, output PLLOUTGLOBAL, LOCK);
  parameter FEEDBACK_PATH = "";
  parameter integer DIVR = 0, DIVF = 0, DIVQ = 0, FILTER_RANGE = 0;
  // All references are of 12 MHz, and undivided.
  wire sound = FEEDBACK_PATH == "SIMPLE" && RESETB && !BYPASS && DIVR == 0 && FILTER_RANGE == 1;
  pll_model #(DIVF + 1, (DIVR + 1) << DIVQ) pll (REFERENCECLK, sound, PLLOUTGLOBAL, LOCK);
endmodule

module SB_PLL40_PAD (input PACKAGEPIN, RESETB, BYPASS, output PLLOUTGLOBAL, LOCK);
  parameter FEEDBACK_PATH = "";
  parameter integer DIVR = 0, DIVF = 0, DIVQ = 0, FILTER_RANGE = 0;
  SB_PLL40_CORE #(FEEDBACK_PATH, DIVR, DIVF, DIVQ, FILTER_RANGE)
    core (PACKAGEPIN, RESETB, BYPASS, PLLOUTGLOBAL, LOCK);
endmodule

module rPLL (input CLKIN, CLKFB, RESET, RESET_P, input [5:0] FBDSEL, IDSEL, ODSEL,
             input [3:0] PSDA, DUTYDA, FDLY, output CLKOUT, LOCK);
  parameter DEVICE = "", FCLKIN = "", CLKFB_SEL = "";
  parameter DYN_IDIV_SEL = "", DYN_FBDIV_SEL = "", DYN_ODIV_SEL = "";
  parameter integer IDIV_SEL = 0, FBDIV_SEL = 0, ODIV_SEL = 0;
  wire sound = DEVICE == "GW1N-9C" && FCLKIN == "27" && CLKFB_SEL == "internal" && !RESET
    && DYN_IDIV_SEL == "false" && DYN_FBDIV_SEL == "false" && DYN_ODIV_SEL == "false" && !RESET_P;
  pll_model #(FBDIV_SEL + 1, IDIV_SEL + 1) pll (CLKIN, sound, CLKOUT, LOCK);
endmodule

module IB (input I, output O);
  assign O = I;
endmodule

module OBZ (input I, T, output O);
  assign O = T ? 1'bz : I;
endmodule

module IBUF (input I, output O);
  assign O = I;
endmodule

module TBUF (input I, OEN, output O);
  assign O = OEN ? 1'bz : I;
endmodule

// Pins that are inputs or outputs at all times, without registers.
module SB_IO (inout PACKAGE_PIN, input D_OUT_0, OUTPUT_ENABLE, output D_IN_0);
  parameter [5:0] PIN_TYPE = 0;
  parameter PULLUP = 0, IO_STANDARD = "";
  assign D_IN_0 = PACKAGE_PIN;
  assign PACKAGE_PIN = PIN_TYPE[5:2] == 4'b0110 || PIN_TYPE[5:2] == 4'b1010 && OUTPUT_ENABLE
    ? D_OUT_0 : 1'bz;
endmodule

module SB_GB_IO (inout PACKAGE_PIN, output GLOBAL_BUFFER_OUTPUT);
  parameter [5:0] PIN_TYPE = 0;
  parameter PULLUP = 0, IO_STANDARD = "";
  assign GLOBAL_BUFFER_OUTPUT = PACKAGE_PIN;
endmodule

module FD1S3AX (input D, CK, output reg Q = 0);
  always @(posedge CK) Q <= D;
endmodule

// Resets what was begun with its first value anyway.
module SGSR (input CLK, GSR);
endmodule
